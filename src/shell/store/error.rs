//! What can go wrong with the database, told apart by what the caller can do about it.

use sqlx::error::{DatabaseError, ErrorKind};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The configured URL is of no use.
    #[error(
        "database.url {url:?} cannot be used: {why}; write sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    BadUrl {
        /// As configured, without the password.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database cannot be opened.
    #[error("the database {what} cannot be opened: {why}")]
    Open {
        /// Which database.
        what: String,
        /// What happened and what to do.
        why: String,
    },
    /// The tables cannot be made or brought up to date.
    #[error("the tables of the database {what} cannot be brought up to date: {why}")]
    Migrate {
        /// Which database.
        what: String,
        /// What happened and what to do.
        why: String,
    },
    /// Locked, gone, full or too slow: worth another try later.
    #[error("the database does not answer now, try again in a moment: {0}")]
    Unavailable(String),
    /// A value that must be unique is in use.
    #[error("this {0} is taken already, choose another")]
    Taken(String),
    /// Something that is referred to does not exist.
    #[error("something that this refers to does not exist: {0}")]
    NoSuch(String),
    /// The thing to change does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The value breaks a rule of the database or cannot be stored at all.
    #[error("the database does not accept it: {0}")]
    Invalid(String),
    /// Somebody else changed it since it was read.
    #[error("somebody changed it meanwhile (now version {now}): read it again and repeat the change")]
    Stale {
        /// The present version.
        now: i64,
    },
    /// A cursor that no list gave out.
    #[error("the cursor was not given out by this list: start from the first page")]
    BadCursor,
    /// A row holds what this version does not understand.
    #[error("the database holds a value that this version cannot read: {0}")]
    Unreadable(String),
    /// The database failed otherwise: a fault of the program or of the installation.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// What the store answers with.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// The data is to blame: trying again without changing it is of no use.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match self {
            StoreError::Taken(_) | StoreError::NoSuch(_) | StoreError::Invalid(_) => true,
            StoreError::BadUrl { .. }
            | StoreError::Open { .. }
            | StoreError::Migrate { .. }
            | StoreError::Unavailable(_)
            | StoreError::NotFound(_)
            | StoreError::Stale { .. }
            | StoreError::BadCursor
            | StoreError::Unreadable(_)
            | StoreError::Failed(_) => false,
        }
    }
}

impl StoreError {
    /// The same for people who read Russian. What only an administrator can mend says so and no more: the log has it.
    #[must_use]
    pub fn russian(&self) -> String {
        match self {
            StoreError::Unavailable(_) => "База данных сейчас не отвечает. Повторите через минуту.".to_owned(),
            StoreError::Taken(column) => {
                let what = match column.as_str() {
                    "code" => "такой номер карточки",
                    "number" => "такой номер телефона",
                    "name" => "такое название",
                    "login" => "такой логин",
                    "endpoint" => "такая линия",
                    "agent" => "этот диспетчер",
                    other => other,
                };
                format!("Уже занято: {what}. Выберите другое.")
            }
            StoreError::NoSuch(_) => {
                "То, на что здесь ссылаются, не существует. Обновите экран и выберите снова.".to_owned()
            }
            StoreError::NotFound(what) => {
                let what = match *what {
                    "agent" => "Такого диспетчера",
                    "blocked number" => "Такого номера среди заблокированных",
                    "client" => "Такого клиента",
                    "order" => "Такого заказа",
                    "recording" => "Такой записи разговора",
                    "user" => "Такого пользователя",
                    "waiting message" => "Такого ожидающего сообщения",
                    "webhook endpoint" => "Такого веб-хука",
                    "webhook endpoint that is not disabled" => "Такого включённого веб-хука",
                    _ => "Того, что вы ищете,",
                };
                format!("{what} нет. Обновите список.")
            }
            StoreError::Invalid(why) => format!("База данных этого не принимает: {why}."),
            StoreError::Stale { now } => {
                format!("Запись уже изменили (сейчас версия {now}). Посмотрите новую и повторите.")
            }
            StoreError::BadCursor => "Этот список начинался не так. Начните с первой страницы.".to_owned(),
            StoreError::BadUrl { .. }
            | StoreError::Open { .. }
            | StoreError::Migrate { .. }
            | StoreError::Unreadable(_)
            | StoreError::Failed(_) => "Сбой программы. Сообщите администратору: причина в журнале сервера.".to_owned(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => from_database(error.as_ref()),
            error @ (sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed) => StoreError::Unavailable(error.to_string()),
            error @ (sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }) => StoreError::Unreadable(error.to_string()),
            error => StoreError::Failed(error.to_string()),
        }
    }
}

fn from_database(error: &dyn DatabaseError) -> StoreError {
    let text = error.message().to_owned();
    match error.kind() {
        ErrorKind::UniqueViolation => StoreError::Taken(taken(error)),
        ErrorKind::ForeignKeyViolation => StoreError::NoSuch(text),
        ErrorKind::NotNullViolation | ErrorKind::CheckViolation => StoreError::Invalid(text),
        _ => from_code(error.code().as_deref().unwrap_or_default(), text),
    }
}

/// By SQLite's (extended) result code or PostgreSQL's five-character SQLSTATE.
fn from_code(code: &str, text: String) -> StoreError {
    if let (true, Ok(number)) = (code.len() < 5, code.parse::<u32>()) {
        return match number & 0xff {
            // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
            5 | 6 | 8 | 10 | 13 | 14 | 15 => StoreError::Unavailable(text),
            // TOOBIG, CONSTRAINT, MISMATCH
            18..=20 => StoreError::Invalid(text),
            _ => StoreError::Failed(text),
        };
    }
    match code.get(..2).unwrap_or_default() {
        // connection, transaction rolled back, resources, object in use, operator, system, cancelled or shut down
        "08" | "40" | "53" | "55" | "57" | "58" | "25" => StoreError::Unavailable(text),
        // data, integrity
        "22" | "23" => StoreError::Invalid(text),
        _ => StoreError::Failed(text),
    }
}

/// The column that must be unique, from SQLite's `… failed: users.login_key` or PostgreSQL's `users_login_key_key`.
fn taken(error: &dyn DatabaseError) -> String {
    let column = match error.constraint() {
        Some(name) => {
            let name = name.strip_suffix("_key").unwrap_or(name);
            let table = error.table().unwrap_or_default();
            name.strip_prefix(table).map_or(name, |rest| rest.trim_start_matches('_'))
        }
        None => error.message().rsplit('.').next().unwrap_or_default(),
    };
    // A login is compared by a form of its own; nobody outside knows that form.
    column.strip_suffix("_key").unwrap_or(column).to_owned()
}

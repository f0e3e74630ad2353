//! Why a command is refused, in words for programs and for people.

use super::contact;
use super::ids::{ClientId, OrderId};
use super::language::Language;
use super::money::Kopecks;
use super::order::{Action, State};

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It says nothing, and must.
    Empty,
    /// More characters than may be.
    TooLong {
        /// So many may be.
        max: usize,
    },
    /// More items than may be.
    TooMany {
        /// So many may be.
        max: usize,
    },
    /// A character that is none to read.
    ControlCharacter,
    /// A number that is too small or too large.
    OutOfRange,
    /// Not a full telephone number.
    NotAPhone,
    /// A landline, a number inside the office or a hidden one, to which no SMS goes.
    TakesNoSms,
    /// A number that the configuration does not allow.
    NumberNotAllowed,
    /// No e-mail address.
    NotAnEmail,
    /// No link of http or https.
    NotALink,
    /// Names something that does not exist.
    NoSuch,
    /// Stands there twice.
    Twice,
    /// A moment that has passed.
    InThePast,
    /// A moment too far ahead.
    TooFarAhead,
}

/// Why a command is refused. The state stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It was made looking at another version.
    Stale {
        /// What the actor saw.
        expected: u64,
        /// What there is.
        current: u64,
    },
    /// The order is in a state in which this cannot be done.
    WrongState {
        /// What was wanted.
        action: Action,
        /// The order's state.
        state: State,
    },
    /// The pre-order has not been woken yet.
    Asleep {
        /// What was wanted.
        action: Action,
    },
    /// The contact is in a state in which this cannot be done.
    ContactState {
        /// What was wanted.
        action: contact::Action,
        /// The contact's state.
        state: contact::State,
    },
    /// Somebody else took the contact first.
    TakenAlready,
    /// Another person is responsible for it.
    NotYours,
    /// The purpose is not offered any more.
    PurposeRetired,
    /// This kind of actor may not do it: a client names no price, a driver takes no order for others, only the office
    /// unblocks.
    NotAllowed,
    /// The client is blocked.
    Blocked,
    /// The card was merged into another one.
    Merged {
        /// That one.
        into: ClientId,
    },
    /// The card was erased.
    Erased,
    /// An order of the client is not over: the client cannot be erased yet.
    OpenOrder {
        /// Which.
        order: OrderId,
    },
    /// A call of the client is not over: the client cannot be erased yet.
    OpenCall,
    /// A talk with the client is not archived yet: the client cannot be erased yet.
    UnarchivedTalk,
    /// It is so already (a card that is not blocked cannot be unblocked, none is merged with itself).
    NothingToDo,
    /// A field holds what it must not.
    Field {
        /// Its name, as in the API.
        field: &'static str,
        /// What is wrong.
        problem: Problem,
    },
    /// A sum beyond all bounds.
    TooMuchMoney,
    /// A sum below zero where there can be none.
    NegativeMoney,
    /// There is less on the account than is to be taken.
    NotEnoughMoney {
        /// So much can be taken.
        available: Kopecks,
        /// So much was to be.
        wanted: Kopecks,
    },
    /// More is to be given back than was paid.
    RefundTooLarge {
        /// So much can be given back.
        available: Kopecks,
    },
}

/// Which answer of HTTP fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The state does not allow it now (409).
    Conflict,
    /// It could never be allowed as it is (422).
    Invalid,
    /// This actor may not (403).
    Forbidden,
}

impl Rejected {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Rejected::Stale { .. } => "stale",
            Rejected::WrongState { .. } | Rejected::ContactState { .. } => "wrong_state",
            Rejected::TakenAlready => "taken_already",
            Rejected::NotYours => "not_yours",
            Rejected::PurposeRetired => "purpose_retired",
            Rejected::Asleep { .. } => "asleep",
            Rejected::NotAllowed => "not_allowed",
            Rejected::Blocked => "client_blocked",
            Rejected::Merged { .. } => "client_merged",
            Rejected::Erased => "client_erased",
            Rejected::OpenOrder { .. } => "open_order",
            Rejected::OpenCall => "open_call",
            Rejected::UnarchivedTalk => "unarchived_talk",
            Rejected::NothingToDo => "nothing_to_do",
            Rejected::Field { .. } => "field",
            Rejected::TooMuchMoney => "too_much_money",
            Rejected::NegativeMoney => "negative_money",
            Rejected::NotEnoughMoney { .. } => "not_enough_money",
            Rejected::RefundTooLarge { .. } => "refund_too_large",
        }
    }

    /// Whether the state, the command or the actor is the obstacle.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Rejected::Stale { .. }
            | Rejected::WrongState { .. }
            | Rejected::ContactState { .. }
            | Rejected::TakenAlready
            | Rejected::PurposeRetired
            | Rejected::Asleep { .. }
            | Rejected::Merged { .. }
            | Rejected::Erased
            | Rejected::OpenOrder { .. }
            | Rejected::OpenCall
            | Rejected::UnarchivedTalk
            | Rejected::NothingToDo
            | Rejected::NotEnoughMoney { .. }
            | Rejected::RefundTooLarge { .. } => Class::Conflict,
            Rejected::Blocked | Rejected::NotAllowed | Rejected::NotYours => Class::Forbidden,
            Rejected::Field { .. } | Rejected::TooMuchMoney | Rejected::NegativeMoney => Class::Invalid,
        }
    }

    /// What happened, to what, and what to do, for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn russian(&self) -> String {
        match self {
            Rejected::Stale { expected, current } => format!(
                "Запись уже изменили: вы видели версию {expected}, сейчас {current}. Посмотрите новую и повторите."
            ),
            Rejected::WrongState { action, state } => {
                format!("Нельзя {}: заказ {}.", action.words(Language::Ru), state.words(Language::Ru))
            }
            Rejected::Asleep { action } => {
                format!("Нельзя {}: предварительный заказ ещё ждёт своего времени.", action.words(Language::Ru))
            }
            Rejected::ContactState { action, state } => {
                format!("Нельзя {}: обращение {}.", action.words(Language::Ru), state.words(Language::Ru))
            }
            Rejected::TakenAlready => "Обращение уже взял другой. Обновите список.".into(),
            Rejected::NotYours => {
                "За обращение отвечает другой. Попросите его или старшего диспетчера передать обращение вам.".into()
            }
            Rejected::PurposeRetired => "Эта цель обращения больше не используется. Выберите другую.".into(),
            Rejected::NotAllowed => "Вам это не разрешено. Обратитесь к старшему диспетчеру.".into(),
            Rejected::Blocked => "Клиент заблокирован. Разблокировать может старший диспетчер.".into(),
            Rejected::Merged { into } => format!("Карточка объединена с карточкой № {into}. Работайте с ней."),
            Rejected::Erased => "Данные клиента удалены по его просьбе. Заведите новую карточку.".into(),
            Rejected::OpenOrder { order } => {
                format!("Заказ № {order} ещё не закрыт. Сначала завершите или отмените его.")
            }
            Rejected::OpenCall => "Звонок клиента ещё не окончен. Повторите после него.".into(),
            Rejected::UnarchivedTalk => {
                "Запись разговора с клиентом ещё не в архиве. Повторите, когда она там будет.".into()
            }
            Rejected::NothingToDo => "Здесь нечего менять: всё уже так. Обновите экран.".into(),
            Rejected::Field { field, problem } => format!("Поле {field}: {}.", problem.russian()),
            Rejected::TooMuchMoney => "Сумма больше допустимой. Проверьте нули.".into(),
            Rejected::NegativeMoney => "Сумма меньше нуля. Укажите её без минуса.".into(),
            Rejected::NotEnoughMoney { available, wanted } => {
                format!(
                    "Не хватает денег: нужно {wanted} ₽, доступно {available} ₽. Пополните счёт или уменьшите сумму."
                )
            }
            Rejected::RefundTooLarge { available } => {
                format!("Вернуть можно не больше {available} ₽: столько было уплачено.")
            }
        }
    }

    fn english(&self) -> String {
        match self {
            Rejected::Stale { expected, current } => format!(
                "This was changed meanwhile: you saw version {expected}, now it is {current}. Look at the new one and try again."
            ),
            Rejected::WrongState { action, state } => {
                format!("Cannot {}: the order {}.", action.words(Language::En), state.words(Language::En))
            }
            Rejected::Asleep { action } => {
                format!("Cannot {}: the pre-order still waits for its time.", action.words(Language::En))
            }
            Rejected::ContactState { action, state } => {
                format!("Cannot {}: it {}.", action.words(Language::En), state.words(Language::En))
            }
            Rejected::TakenAlready => "Somebody else took this contact first. Refresh the list.".into(),
            Rejected::NotYours => {
                "Another person is responsible for this contact. Ask that person or a supervisor to hand it on.".into()
            }
            Rejected::PurposeRetired => "This purpose is not in use any more. Choose another one.".into(),
            Rejected::NotAllowed => "You may not do this. Ask a supervisor.".into(),
            Rejected::Blocked => "The client is blocked. A supervisor can unblock the card.".into(),
            Rejected::Merged { into } => format!("This card was merged into card no. {into}. Use that one."),
            Rejected::Erased => "The client's data were erased on request. Make a new card.".into(),
            Rejected::OpenOrder { order } => format!("Order no. {order} is open. End or cancel it first."),
            Rejected::OpenCall => "A call of the client is not over. Try again after it.".into(),
            Rejected::UnarchivedTalk => {
                "The recording of a talk with the client is not in the archive yet. Try again when it is.".into()
            }
            Rejected::NothingToDo => "Nothing to change: it is so already. Refresh the screen.".into(),
            Rejected::Field { field, problem } => format!("Field {field}: {}.", problem.english()),
            Rejected::TooMuchMoney => "The sum is larger than any can be. Count the zeros.".into(),
            Rejected::NegativeMoney => "The sum is below zero. Write it without the minus.".into(),
            Rejected::NotEnoughMoney { available, wanted } => format!(
                "Not enough money: {wanted} RUB wanted, {available} RUB available. Top up the account or take less."
            ),
            Rejected::RefundTooLarge { available } => {
                format!("At most {available} RUB can be given back: so much was paid.")
            }
        }
    }
}

impl Problem {
    fn russian(&self) -> String {
        match self {
            Problem::Empty => "не заполнено".into(),
            Problem::TooLong { max } => format!("длиннее {max} знаков"),
            Problem::TooMany { max } => format!("больше {max} значений"),
            Problem::ControlCharacter => "непечатаемый знак".into(),
            Problem::OutOfRange => "число вне допустимых границ".into(),
            Problem::NotAPhone => "это не номер телефона".into(),
            Problem::TakesNoSms => "на этот номер SMS не приходят: нужен мобильный".into(),
            Problem::NumberNotAllowed => "на этот номер не разрешено настройками (sms.allowed_numbers)".into(),
            Problem::NotAnEmail => "это не адрес электронной почты".into(),
            Problem::NotALink => "это не ссылка: нужен адрес, который начинается с https:// или http://".into(),
            Problem::NoSuch => "такого не существует".into(),
            Problem::Twice => "значение повторяется".into(),
            Problem::InThePast => "время уже прошло".into(),
            Problem::TooFarAhead => "время слишком далеко".into(),
        }
    }

    fn english(&self) -> String {
        match self {
            Problem::Empty => "is empty".into(),
            Problem::TooLong { max } => format!("is longer than {max} characters"),
            Problem::TooMany { max } => format!("has more than {max} items"),
            Problem::ControlCharacter => "has a control character".into(),
            Problem::OutOfRange => "is a number out of range".into(),
            Problem::NotAPhone => "is no telephone number".into(),
            Problem::TakesNoSms => "takes no SMS: give a mobile number".into(),
            Problem::NumberNotAllowed => "is not allowed by the configuration (sms.allowed_numbers)".into(),
            Problem::NotAnEmail => "is no e-mail address".into(),
            Problem::NotALink => "is no link: write one that begins with https:// or http://".into(),
            Problem::NoSuch => "names something that does not exist".into(),
            Problem::Twice => "has something twice".into(),
            Problem::InThePast => "is a time that has passed".into(),
            Problem::TooFarAhead => "is a time too far ahead".into(),
        }
    }
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for Rejected {}

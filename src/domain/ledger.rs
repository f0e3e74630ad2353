//! A client's account and bonus account: entries that are only ever added, and balances that are their sum.

use serde::{Deserialize, Serialize};

use super::history::{Actor, By, Source};
use super::ids::OrderId;
use super::limit::{self, LONG, SHORT};
use super::money::Kopecks;
use super::rejected::{Problem, Rejected};
use super::time::Wall;

/// Which of the two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// Money.
    Account,
    /// Bonuses; one is worth a kopeck.
    Bonus,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Money was put on the account.
    TopUp,
    /// A trip was paid.
    Payment,
    /// What was paid for a trip was given back.
    Refund,
    /// Bonuses were given.
    Accrual,
    /// Bonuses were given for a new client who was brought by this one and has made a first trip.
    Referral,
    /// Money or bonuses were taken off.
    WriteOff,
    /// Moved between two cards that were merged; can be below zero on either side.
    Transfer,
}

/// By which way money came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Cash in the office or to a driver.
    Cash,
    /// A bank card.
    Card,
    /// A transfer from a bank account.
    Bank,
    /// By hand, by a dispatcher or supervisor.
    Manual,
    /// By a rule of the engine.
    Automatic,
}

macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// As it stands in JSON and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }

            /// Reads [`as_str`](Self::as_str).
            #[must_use]
            pub fn parse(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words!(Book { Account => "account", Bonus => "bonus" });
words!(EntryKind {
    TopUp => "top_up",
    Payment => "payment",
    Refund => "refund",
    Accrual => "accrual",
    Referral => "referral",
    WriteOff => "write_off",
    Transfer => "transfer",
});
words!(Method {
    Cash => "cash",
    Card => "card",
    Bank => "bank",
    Manual => "manual",
    Automatic => "automatic",
});

/// Something to be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Into which account.
    pub book: Book,
    /// What it is; decides the sign.
    pub kind: EntryKind,
    /// By which way.
    pub method: Method,
    /// How much; above zero.
    pub amount: Kopecks,
    /// For which trip; payments and refunds need one.
    pub order: Option<OrderId>,
    /// The number it is for, canonical: a company's employees are told apart by it. May be empty.
    pub phone: String,
    /// Why, for people.
    pub comment: String,
}

/// How far an entry may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How far below zero the account may go; a bonus account never does.
    pub credit: Kopecks,
    /// What was paid out of this book for the order of a refund, less what was given back already.
    pub refundable: Kopecks,
}

/// What is on both accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Balances {
    /// Money.
    pub account: Kopecks,
    /// Bonuses.
    pub bonus: Kopecks,
    /// How many entries there are: the version of the ledger.
    pub entries: u64,
}

/// One line of a ledger; never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct LedgerEntry {
    /// 1, 2, 3, … for each client, over both books.
    pub number: u64,
    /// Which account.
    pub book: Book,
    /// What it is.
    pub kind: EntryKind,
    /// By which way.
    pub method: Method,
    /// What was added; below zero for what was taken.
    pub amount: Kopecks,
    /// What is on this account after it.
    pub balance: Kopecks,
    /// For which trip.
    pub order: Option<OrderId>,
    /// For which number.
    pub phone: String,
    /// Why.
    pub comment: String,
    /// When.
    pub at: Wall,
    /// By whom.
    pub actor: Actor,
    /// By which way the command came.
    pub source: Source,
}

impl Balances {
    /// What is on one of the accounts.
    #[must_use]
    pub fn of(&self, book: Book) -> Kopecks {
        match book {
            Book::Account => self.account,
            Book::Bonus => self.bonus,
        }
    }

    /// What these entries add up to, in their order.
    #[must_use]
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Balances {
        entries.into_iter().fold(Balances::default(), |balances, entry| balances.with(entry))
    }

    /// After one more entry.
    #[must_use]
    pub fn with(mut self, entry: &LedgerEntry) -> Balances {
        let balance = match entry.book {
            Book::Account => &mut self.account,
            Book::Bonus => &mut self.bonus,
        };
        *balance = Kopecks(balance.0.saturating_add(entry.amount.0));
        self.entries = entry.number;
        self
    }
}

/// Enters something.
///
/// # Errors
/// [`Rejected::NotEnoughMoney`], [`Rejected::RefundTooLarge`], [`Rejected::Stale`], [`Rejected::Field`] and those of money.
pub fn post(
    balances: &Balances,
    post: Post,
    limits: &Limits,
    by: &By,
    now: Wall,
) -> Result<(Balances, LedgerEntry), Rejected> {
    by.check(balances.entries)?;
    let amount = post.amount.checked()?;
    let wrong = |field| Err(Rejected::Field { field, problem: Problem::OutOfRange });
    if amount == Kopecks::ZERO {
        return wrong("amount");
    }
    limit::check("comment", &post.comment, LONG)?;
    limit::check("phone", &post.phone, SHORT)?;
    let balance = balances.of(post.book);
    let credit = match post.book {
        Book::Account => limits.credit.max(Kopecks::ZERO),
        Book::Bonus => Kopecks::ZERO,
    };
    let added = match (post.kind, post.book) {
        (EntryKind::TopUp, Book::Account) | (EntryKind::Accrual | EntryKind::Referral, Book::Bonus) => amount,
        (EntryKind::TopUp, Book::Bonus) | (EntryKind::Accrual | EntryKind::Referral, Book::Account) => {
            return wrong("kind");
        }
        (EntryKind::Refund, Book::Account | Book::Bonus) => {
            if post.order.is_none() {
                return wrong("order");
            }
            if amount > limits.refundable {
                return Err(Rejected::RefundTooLarge { available: limits.refundable.max(Kopecks::ZERO) });
            }
            amount
        }
        (EntryKind::Payment, Book::Account | Book::Bonus) if post.order.is_none() => return wrong("order"),
        (EntryKind::Payment | EntryKind::WriteOff, Book::Account | Book::Bonus) => {
            let available = balance.plus(credit)?.max(Kopecks::ZERO);
            if amount > available {
                return Err(Rejected::NotEnoughMoney { available, wanted: amount });
            }
            -amount
        }
        // Only merging moves money, and then all of it: see `transfer`.
        (EntryKind::Transfer, Book::Account | Book::Bonus) => return wrong("kind"),
    };
    enter(balances, post, added, by, now)
}

/// Moves everything from one client's ledger to another's. Gives both balances and, for each book that held
/// anything, the entry in the giver's and the one in the taker's ledger.
///
/// # Errors
/// Those of money.
pub fn transfer(from: &Balances, to: &Balances, comment: &str, by: &By, now: Wall) -> Result<Transferred, Rejected> {
    let mut moved = Transferred { from: *from, to: *to, given: Vec::new(), taken: Vec::new() };
    for book in Book::ALL.iter().copied() {
        let amount = from.of(book);
        if amount == Kopecks::ZERO {
            continue;
        }
        let post = Post {
            book,
            kind: EntryKind::Transfer,
            method: Method::Automatic,
            amount,
            order: None,
            phone: String::new(),
            comment: comment.to_owned(),
        };
        let (balances, entry) = enter(&moved.from, post.clone(), -amount, by, now)?;
        moved.from = balances;
        moved.given.push(entry);
        let (balances, entry) = enter(&moved.to, post, amount, by, now)?;
        moved.to = balances;
        moved.taken.push(entry);
    }
    Ok(moved)
}

/// What [`transfer`] moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// The giver's balances: zero.
    pub from: Balances,
    /// The taker's balances.
    pub to: Balances,
    /// Entries of the giver's ledger.
    pub given: Vec<LedgerEntry>,
    /// Entries of the taker's ledger.
    pub taken: Vec<LedgerEntry>,
}

fn enter(
    balances: &Balances,
    post: Post,
    amount: Kopecks,
    by: &By,
    now: Wall,
) -> Result<(Balances, LedgerEntry), Rejected> {
    let entry = LedgerEntry {
        number: balances.entries.saturating_add(1),
        book: post.book,
        kind: post.kind,
        method: post.method,
        amount,
        balance: balances.of(post.book).plus(amount)?,
        order: post.order,
        phone: post.phone,
        comment: post.comment,
        at: now,
        actor: by.actor.clone(),
        source: by.source,
    };
    Ok((balances.with(&entry), entry))
}

#[cfg(test)]
mod tests;

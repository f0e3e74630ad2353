use proptest::prelude::*;

use super::super::history::ActorKind;
use super::*;

fn by() -> By {
    By::new(ActorKind::Office, "olga", Source::Dispatcher)
}

fn of(book: Book, kind: EntryKind, amount: i64) -> Post {
    Post {
        book,
        kind,
        method: Method::Cash,
        amount: Kopecks(amount),
        order: Some(OrderId(1)),
        phone: String::new(),
        comment: String::new(),
    }
}

fn enter_all(posts: &[(Post, Limits)]) -> (Balances, Vec<LedgerEntry>) {
    let mut balances = Balances::default();
    let mut entries = Vec::new();
    for (n, (wanted, limits)) in posts.iter().enumerate() {
        let at = Wall(i64::try_from(n).unwrap());
        if let Ok((after, entry)) = post(&balances, wanted.clone(), limits, &by(), at) {
            balances = after;
            entries.push(entry);
        }
    }
    (balances, entries)
}

#[test]
fn an_account_goes_below_zero_only_as_far_as_its_credit() {
    let limits = Limits { credit: Kopecks(500), refundable: Kopecks(0) };
    let zero = Balances::default();
    let wanted = of(Book::Account, EntryKind::Payment, 501);
    let refused = post(&zero, wanted, &limits, &by(), Wall(0));
    assert_eq!(refused, Err(Rejected::NotEnoughMoney { available: Kopecks(500), wanted: Kopecks(501) }));
    let (balances, entry) = post(&zero, of(Book::Account, EntryKind::Payment, 500), &limits, &by(), Wall(0)).unwrap();
    assert_eq!((balances.account, entry.amount, entry.number), (Kopecks(-500), Kopecks(-500), 1));
    let bonus = post(&zero, of(Book::Bonus, EntryKind::WriteOff, 1), &limits, &by(), Wall(0));
    assert_eq!(bonus, Err(Rejected::NotEnoughMoney { available: Kopecks(0), wanted: Kopecks(1) }));
}

#[test]
fn what_no_ledger_takes_is_refused() {
    let zero = Balances::default();
    let limits = Limits { credit: Kopecks(0), refundable: Kopecks(100) };
    let refused = |wanted: Post| post(&zero, wanted, &limits, &by(), Wall(0)).unwrap_err();
    let field = |field| Rejected::Field { field, problem: Problem::OutOfRange };
    assert_eq!(refused(of(Book::Account, EntryKind::TopUp, 0)), field("amount"));
    assert_eq!(refused(of(Book::Account, EntryKind::TopUp, -5)), Rejected::NegativeMoney);
    assert_eq!(refused(of(Book::Bonus, EntryKind::TopUp, 5)), field("kind"));
    assert_eq!(refused(of(Book::Account, EntryKind::Accrual, 5)), field("kind"));
    assert_eq!(refused(of(Book::Account, EntryKind::Transfer, 5)), field("kind"));
    let without_order = Post { order: None, ..of(Book::Account, EntryKind::Refund, 5) };
    assert_eq!(refused(without_order), field("order"));
    let too_much = of(Book::Account, EntryKind::Refund, 101);
    assert_eq!(refused(too_much), Rejected::RefundTooLarge { available: Kopecks(100) });
    let stale = post(&zero, of(Book::Account, EntryKind::TopUp, 5), &limits, &by().expecting(3), Wall(0));
    assert_eq!(stale, Err(Rejected::Stale { expected: 3, current: 0 }));
}

fn any_post() -> impl Strategy<Value = (Post, Limits)> {
    let books = prop_oneof![Just(Book::Account), Just(Book::Bonus)];
    let kinds = proptest::sample::select(EntryKind::ALL);
    let methods = proptest::sample::select(Method::ALL);
    (books, kinds, methods, -10i64..5_000, any::<bool>(), 0i64..2_000, 0i64..2_000).prop_map(
        |(book, kind, method, amount, order, credit, refundable)| {
            let order = order.then_some(OrderId(7));
            let post = Post { method, order, ..of(book, kind, amount) };
            (post, Limits { credit: Kopecks(credit), refundable: Kopecks(refundable) })
        },
    )
}

proptest! {
    #[test]
    fn balances_are_always_the_sum_of_the_entries(posts in proptest::collection::vec(any_post(), 0..60)) {
        let (balances, entries) = enter_all(&posts);
        prop_assert_eq!(Balances::fold(&entries), balances);
        let sum = |book| entries.iter().filter(|entry| entry.book == book).map(|entry| entry.amount).sum::<Kopecks>();
        prop_assert_eq!((sum(Book::Account), sum(Book::Bonus)), (balances.account, balances.bonus));
        prop_assert!(balances.bonus >= Kopecks::ZERO && balances.account >= Kopecks(-2_000));
        for (n, entry) in entries.iter().enumerate() {
            prop_assert_eq!(entry.number, n as u64 + 1);
            let before = &entries[..=n];
            prop_assert_eq!(Balances::fold(before).of(entry.book), entry.balance);
        }
    }

    #[test]
    fn a_transfer_moves_all_and_makes_nothing(
        one in proptest::collection::vec(any_post(), 0..20), two in proptest::collection::vec(any_post(), 0..20),
    ) {
        let ((from, mut from_entries), (to, mut to_entries)) = (enter_all(&one), enter_all(&two));
        let moved = transfer(&from, &to, "", &by(), Wall(9)).unwrap();
        from_entries.extend(moved.given.clone());
        to_entries.extend(moved.taken.clone());
        prop_assert_eq!((moved.from.account, moved.from.bonus), (Kopecks::ZERO, Kopecks::ZERO));
        prop_assert_eq!(moved.to.account.0, from.account.0 + to.account.0);
        prop_assert_eq!(moved.to.bonus.0, from.bonus.0 + to.bonus.0);
        prop_assert_eq!(Balances::fold(&from_entries), moved.from);
        prop_assert_eq!(Balances::fold(&to_entries), moved.to);
    }
}

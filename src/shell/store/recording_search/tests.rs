//! Talks found by each wish and by several, page by page.

use std::time::Duration;

use super::*;
use crate::engine::command::Fact;
use crate::engine::ids::NodeId;
use crate::shell::store::clients::tests::{named, new, olga, phones};
use crate::shell::store::orders::tests::taxi;
use crate::shell::store::recordings::tests::stored;
use crate::shell::store::recordings::{ArchivedFile, NewRecording};
use crate::shell::store::testing::on_both;

const ANNA: &str = "+79001234567";
const PETER: &str = "+79991112299";

/// A call of number `n`, at that moment, and its recording.
async fn talk(store: &Store, n: u64, number: &str, seconds: u64, disposition: Disposition) -> i64 {
    let (call, at) = (CallId((1_000 + n) << 20), Wall(i64::try_from(1_000 + n).unwrap()));
    let arrived = Fact::CallArrived {
        call,
        node: NodeId(0),
        channel: "c".into(),
        recording: format!("perezvon/{n}"),
        number: number.into(),
        dialled: "100".into(),
        by_fallback: false,
        outgoing: false,
        at,
    };
    let ended = Fact::CallEnded {
        call,
        disposition,
        cause: 16,
        waited: Duration::ZERO,
        talked: Duration::from_secs(seconds),
        agent: Some(AgentId(1)),
        at,
    };
    store.write_facts(&[arrived, ended]).await.unwrap();
    // One is rung and does not talk; the other does, and is transferred to and fro.
    for (leg, agent) in [(1, 8), (2, 7), (3, 7), (4, 1)] {
        let channel = format!("pz-{n}-{leg}").into();
        let mut facts = vec![Fact::LegStarted { call, leg, channel, agent: Some(AgentId(agent)), number: None, at }];
        if agent != 8 {
            facts.push(Fact::CallBridged { call, leg, agent: Some(AgentId(agent)), at });
        }
        store.write_facts(&facts).await.unwrap();
    }
    let file = stored(n).file.map(|file| ArchivedFile { duration: Duration::from_secs(seconds), ..file });
    store.save_recording(NewRecording { file, ..stored(n) }).await.unwrap()
}

async fn found(store: &Store, filter: RecordingFilter) -> Vec<i64> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        // The pages are small so that cursors are tried too.
        let page = store.list_recordings(&filter, cursor.as_deref(), 2).await.unwrap();
        ids.extend(page.items.iter().map(|row| row.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn a_talk_is_found_by_whatever_is_remembered_of_it() {
    on_both(async |t| {
        let s = &t.store;
        let anna = new(vec![phones(&[ANNA, "+74951112233"]), named("Семёнова", "Алёна")]);
        let anna = s.create_client(anna, &olga(), Wall(1)).await.unwrap().id;
        s.create_client(new(vec![phones(&[PETER]), named("Щукин", "Пётр")]), &olga(), Wall(1)).await.unwrap();
        let a = talk(s, 1, ANNA, 10, Disposition::CompleteCaller).await;
        let b = talk(s, 2, PETER, 200, Disposition::CompleteAgent).await;
        let c = talk(s, 3, ANNA, 3_000, Disposition::CompleteCaller).await;
        let d = talk(s, 4, "", 20, Disposition::Ended).await;
        let e = talk(s, 5, "+74951112233", 30, Disposition::CompleteAgent).await;
        let filter = RecordingFilter::default;
        assert_eq!(found(s, filter()).await, [e, d, c, b, a]);
        let number = |typed: &str| RecordingFilter { number: Some(typed.into()), ..filter() };
        for (typed, ids) in [
            ("8 (900) 123-45-67", vec![c, a]),
            ("+79001234567", vec![c, a]),
            ("4567", vec![c, a]),
            ("567", vec![c, a]),
            ("67", vec![c, a]),
            ("0123", vec![c, a]),
            ("8900123", vec![c, a]),
            ("495111", vec![e]),
            ("2299", vec![b]),
            ("0000", vec![]),
            ("hidden", vec![d]),
        ] {
            assert_eq!(found(s, number(typed)).await, ids, "{typed}");
        }
        let name = |typed: &str| RecordingFilter { name: Some(typed.into()), ..filter() };
        assert_eq!(found(s, name("семен")).await, [e, c, a]);
        assert_eq!(found(s, name("щук")).await, [b]);
        assert_eq!(found(s, name("никто")).await, Vec::<i64>::new());
        let agent = |agent| RecordingFilter { agent: Some(AgentId(agent)), ..filter() };
        assert_eq!(found(s, agent(7)).await, [e, d, c, b, a]);
        assert_eq!(found(s, agent(8)).await, Vec::<i64>::new());
        assert_eq!(found(s, RecordingFilter { last_agent: Some(AgentId(7)), ..agent(7) }).await, Vec::<i64>::new());
        let length = |from, to| RecordingFilter { length_from: from, length_to: to, ..filter() };
        assert_eq!(found(s, length(Some(30_000), None)).await, [e, c, b]);
        assert_eq!(found(s, length(Some(20_000), Some(200_000))).await, [e, d, b]);
        let ended = |disposition| RecordingFilter { disposition: Some(disposition), ..filter() };
        assert_eq!(found(s, ended(Disposition::CompleteCaller)).await, [c, a]);
        let both = RecordingFilter { agent: Some(AgentId(7)), length_to: Some(20_000), ..name("алён") };
        assert_eq!(found(s, both).await, [a]);
        let span = RecordingFilter { from: Some(Wall(1_002)), to: Some(Wall(1_005)), ..filter() };
        assert_eq!(found(s, span).await, [d, c, b]);

        let order = s.create_order(taxi(ANNA), &olga(), Wall(2_000)).await.unwrap();
        assert_eq!(order.order.client, Some(anna));
        assert_eq!(found(s, RecordingFilter { order: Some(order.id), ..filter() }).await, [e, c, a]);
        let both = RecordingFilter { order: Some(order.id), ..number("4567") };
        assert_eq!(found(s, both).await, [c, a]);
        assert_eq!(found(s, RecordingFilter { order: Some(OrderId(4711)), ..filter() }).await, Vec::<i64>::new());
    })
    .await;
}

#[tokio::test]
async fn a_talk_is_found_by_its_purpose_and_its_state_among_other_wishes() {
    on_both(async |t| {
        let s = &t.store;
        let a = talk(s, 1, ANNA, 10, Disposition::CompleteCaller).await;
        talk(s, 2, ANNA, 10, Disposition::CompleteAgent).await;
        let sql = "INSERT INTO purposes (id, name, is_default, retired, body, version, created_at, changed_at) \
                   VALUES (5, 'x', 0, 0, '{}', 1, 1, 1)";
        s.execute(Sql::new(sql)).await.unwrap();
        let sql = "UPDATE contacts SET purpose = 5 WHERE call = $1";
        s.execute(Sql::new(sql).with(call_key(CallId(1_001 << 20)))).await.unwrap();
        let filter = RecordingFilter {
            purpose: Some(PurposeId(5)),
            state: Some(RecordingState::Stored),
            agent: Some(AgentId(7)),
            length_from: Some(1),
            disposition: Some(Disposition::CompleteCaller),
            ..RecordingFilter::default()
        };
        assert_eq!(found(s, filter.clone()).await, [a]);
        assert_eq!(found(s, RecordingFilter { purpose: Some(PurposeId(6)), ..filter }).await, Vec::<i64>::new());
    })
    .await;
}

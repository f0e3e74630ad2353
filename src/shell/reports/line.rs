//! One line of a report: what was counted, and the shares and averages of it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::shell::store::agent_time::AgentTime;
use crate::shell::store::reports::Sums;

/// How shares and averages are reckoned.
pub(super) const FORMULAS: [(&str, &str); 12] = [
    (
        "service_level",
        "answered within `within` seconds of entering the queue / (answered + abandoned); short abandons are left out",
    ),
    ("abandonment", "abandoned / (answered + abandoned); short abandons are left out"),
    ("average_wait_s", "waiting of the answered / answered (average speed of answer)"),
    ("average_talk_s", "talks of the answered, holds included / answered"),
    ("average_wrap_up_s", "after-call work of the answered / answered"),
    ("average_handling_s", "(talks + after-call work) of the answered / answered"),
    ("robot_share", "by_robot / calls"),
    ("estimate_error_s", "sum of |told wait - waiting from then on| / told, of the answered who were told a wait"),
    ("estimate_bias_s", "sum of (told wait - waiting from then on) / told; above zero: told too much"),
    ("occupancy", "(talk_s + wrap_up_s) / (talk_s + wrap_up_s + idle_s); pauses are left out"),
    ("talk_s", "from the answer of the agent's phone to its end"),
    ("wrap_up_s", "after-call work, to its end or until the agent was ready before that"),
];

/// What calls add up to. Spans are seconds, shares thousandths; a share of nothing is absent.
#[derive(Serialize, ToSchema)]
pub struct ReportLine {
    /// `9` for the hour from nine, `2026-01-05`, the name of a queue, an agent or a purpose; empty in the total.
    pub key: String,
    /// Calls that came in.
    pub calls: i64,
    /// Entered a queue.
    pub queued: i64,
    /// Entered a queue and talked with somebody.
    pub answered: i64,
    /// Hung up while waiting in a queue, short ones left out.
    pub abandoned: i64,
    /// Hung up so soon that nobody could have answered: `short` of the query.
    pub short_abandoned: i64,
    /// Answered in time / (answered + abandoned): who gave up counts as not served in time (G. Koole, «Call Center
    /// Optimization», 2013, 2.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_level: Option<i64>,
    /// Abandoned / (answered + abandoned).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandonment: Option<i64>,
    /// Average speed of answer: waiting of the answered / answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_wait_s: Option<i64>,
    /// The longest that anybody waited.
    pub longest_wait_s: i64,
    /// Talks of the answered / answered, without after-call work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_talk_s: Option<i64>,
    /// After-call work of the answered / answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_wrap_up_s: Option<i64>,
    /// Both together: the average handling time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_handling_s: Option<i64>,
    /// Heard what they wanted from the engine alone.
    pub by_robot: i64,
    /// By the engine alone / calls that came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub robot_share: Option<i64>,
    /// Chose to be called back instead of waiting.
    pub kept_places: i64,
    /// Callbacks that reached their client. Of hours, days and the total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callbacks_delivered: Option<i64>,
    /// Calls that the office made.
    pub outgoing: i64,
    /// Of the answered: were told, while they waited, how long it would take.
    pub told: i64,
    /// Mean absolute error of what was told first, against the waiting from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_error_s: Option<i64>,
    /// The same with its sign: above zero they were told too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_bias_s: Option<i64>,
    /// For how long agents were ready, and had nothing in hand. This and the next four: of agents, hours, days and the
    /// total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<i64>,
    /// In pause, and nothing in hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_s: Option<i64>,
    /// With a call on the phone, whoever called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub talk_s: Option<i64>,
    /// In after-call work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_up_s: Option<i64>,
    /// Ready, talking or in after-call work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_s: Option<i64>,
    /// (Talking + after-call work) / (the same + idle); pauses are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<i64>,
}

fn share(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| (part * 1000 + whole / 2) / whole)
}

/// To the nearest second.
fn average(ms: i64, count: i64) -> Option<i64> {
    (count > 0).then(|| (ms / count + 500).div_euclid(1000))
}

impl ReportLine {
    pub(super) fn of(key: String, sums: &Sums, delivered: Option<i64>, time: Option<AgentTime>) -> ReportLine {
        let served = sums.answered + sums.abandoned;
        let spent = |of: fn(AgentTime) -> i64| time.map(|time| of(time) / 1000);
        ReportLine {
            key,
            calls: sums.calls,
            queued: sums.queued,
            answered: sums.answered,
            abandoned: sums.abandoned,
            short_abandoned: sums.short_abandoned,
            service_level: share(sums.in_time, served),
            abandonment: share(sums.abandoned, served),
            average_wait_s: average(sums.waited_ms, sums.answered),
            longest_wait_s: sums.longest_ms / 1000,
            average_talk_s: average(sums.talked_ms, sums.answered),
            average_wrap_up_s: average(sums.wrapped_ms, sums.answered),
            average_handling_s: average(sums.talked_ms + sums.wrapped_ms, sums.answered),
            by_robot: sums.by_robot,
            robot_share: share(sums.by_robot, sums.calls),
            kept_places: sums.kept_places,
            callbacks_delivered: delivered,
            outgoing: sums.outgoing,
            told: sums.told,
            estimate_error_s: average(sums.told_off_ms, sums.told),
            estimate_bias_s: average(sums.told_bias_ms, sums.told),
            idle_s: spent(|time| time.idle_ms),
            paused_s: spent(|time| time.paused_ms),
            talk_s: spent(|time| time.talked_ms),
            wrap_up_s: spent(|time| time.wrapped_ms),
            ready_s: spent(AgentTime::at_work_ms),
            occupancy: time.and_then(|time| share(time.busy_ms(), time.at_work_ms())),
        }
    }
}

/// Both together.
pub(super) fn added(sum: Sums, more: &Sums) -> Sums {
    Sums {
        calls: sum.calls + more.calls,
        queued: sum.queued + more.queued,
        answered: sum.answered + more.answered,
        in_time: sum.in_time + more.in_time,
        abandoned: sum.abandoned + more.abandoned,
        short_abandoned: sum.short_abandoned + more.short_abandoned,
        by_robot: sum.by_robot + more.by_robot,
        kept_places: sum.kept_places + more.kept_places,
        waited_ms: sum.waited_ms + more.waited_ms,
        longest_ms: sum.longest_ms.max(more.longest_ms),
        talked_ms: sum.talked_ms + more.talked_ms,
        wrapped_ms: sum.wrapped_ms + more.wrapped_ms,
        told: sum.told + more.told,
        told_off_ms: sum.told_off_ms + more.told_off_ms,
        told_bias_ms: sum.told_bias_ms + more.told_bias_ms,
        outgoing: sum.outgoing + more.outgoing,
        talked_out_ms: sum.talked_out_ms + more.talked_out_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_thousandths_and_of_nothing_there_is_none() {
        assert_eq!((share(2, 3), share(0, 5), share(1, 0)), (Some(667), Some(0), None));
        assert_eq!((average(4_600, 2), average(0, 0), average(-4_600, 2)), (Some(2), None, Some(-2)));
        let sums = Sums { answered: 3, in_time: 2, abandoned: 1, talked_ms: 50_000, ..Sums::default() };
        let time = AgentTime { idle_ms: 30_000, paused_ms: 99_000, talked_ms: 50_000, wrapped_ms: 20_000 };
        let line = ReportLine::of(String::new(), &sums, None, Some(time));
        assert_eq!((line.service_level, line.abandonment, line.occupancy), (Some(500), Some(250), Some(700)));
        assert_eq!((line.ready_s, line.paused_s), (Some(100), Some(99)));
    }

    #[test]
    fn every_formula_is_of_a_field() {
        let sums = Sums { calls: 1, answered: 1, told: 1, ..Sums::default() };
        let time = AgentTime { idle_ms: 1, ..AgentTime::default() };
        let line = serde_json::to_value(ReportLine::of(String::new(), &sums, None, Some(time))).unwrap();
        for (field, _) in FORMULAS {
            assert!(line.get(field).is_some(), "{field}");
        }
    }
}

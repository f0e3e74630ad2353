//! The one loop: stamp the time, feed the engine, carry out its commands.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::command::Command;
use crate::engine::event::Event;

use super::clock::Clock;

/// Events taken in before other tasks of the same thread have a turn.
const AT_A_TIME: usize = 64;

/// Carries out commands. Must not wait: what takes time is handed to a task.
pub trait Outlets {
    /// Does it, or hands it on. An event that comes of it at once (a refusal) goes back to the engine.
    fn carry_out(&mut self, command: Command) -> Option<Event>;
}

/// Drives the engine until `cancel` or until nobody can send events any more.
pub async fn run(
    engine: &mut Engine,
    clock: Clock,
    events: &mut mpsc::Receiver<Event>,
    outlets: &mut impl Outlets,
    cancel: CancellationToken,
) {
    let mut came_back = VecDeque::new();
    let mut batch = Vec::with_capacity(AT_A_TIME);
    // Set anew only when the deadline is another one: each time costs the thread a wake-up of its own.
    let alarm = tokio::time::sleep_until(clock.moment(clock.now().mono));
    tokio::pin!(alarm);
    while !cancel.is_cancelled() {
        let wake_at = engine.poll_timeout().map(|(at, _)| clock.moment(at));
        if let Some(at) = wake_at.filter(|at| *at != alarm.deadline() || alarm.is_elapsed()) {
            alarm.as_mut().reset(at);
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            taken = events.recv_many(&mut batch, AT_A_TIME), if came_back.is_empty() => {
                if taken == 0 {
                    return;
                }
            }
            () = std::future::ready(()), if !came_back.is_empty() => {
                // Not in the same breath: what comes back at once could come back for ever.
                batch.extend(came_back.drain(..));
                tokio::task::yield_now().await;
            }
            () = &mut alarm, if wake_at.is_some() => {}
        }
        for event in batch.drain(..) {
            step(engine, clock, event, outlets, &mut came_back);
        }
        // One deadline with each event, and only so many before real events have a turn again.
        for _ in 0..AT_A_TIME {
            if engine.poll_timeout().is_none_or(|(at, _)| at > clock.now().mono) {
                break;
            }
            step(engine, clock, Event::Wake, outlets, &mut came_back);
        }
    }
}

/// Feeds events before the loop begins.
pub fn prime(engine: &mut Engine, clock: Clock, events: impl IntoIterator<Item = Event>, outlets: &mut impl Outlets) {
    // Without a connection to any Asterisk nothing can be refused yet.
    let mut came_back = VecDeque::new();
    for event in events {
        step(engine, clock, event, outlets, &mut came_back);
    }
}

fn step(engine: &mut Engine, clock: Clock, event: Event, outlets: &mut impl Outlets, came_back: &mut VecDeque<Event>) {
    engine.handle(event, clock.now());
    while let Some(command) = engine.poll_command() {
        came_back.extend(outlets.carry_out(command));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::command::AriRequest;
    use crate::engine::event::{Arrival, NodeEvent, Origin, Refusal, Snapshot};
    use crate::engine::ids::{CallId, NodeId};
    use crate::engine::settings::Settings;
    use crate::engine::time::Wall;

    struct Collect(Vec<Command>);

    impl Outlets for Collect {
        fn carry_out(&mut self, command: Command) -> Option<Event> {
            self.0.push(command.clone());
            match command {
                Command::Asterisk { node, call, request: request @ AriRequest::Answer(_) } => {
                    Some(Event::Refused { node, call, request, why: Refusal::NotFound })
                }
                _ => None,
            }
        }
    }

    fn arrival(number: &str) -> Event {
        Event::Node(
            NodeId(0),
            NodeEvent::Arrived(Arrival {
                channel: format!("c-{number}").into(),
                origin: Origin::Inbound,
                number: number.to_owned(),
                name: String::new(),
                dialled: "100".to_owned(),
                created: Wall(0),
                answered: false,
                memo: None,
            }),
        )
    }

    async fn driven(events: Vec<Event>, until: impl Fn(&[Command]) -> bool) -> Vec<Command> {
        let (sender, mut receiver) = mpsc::channel(16);
        for event in events {
            sender.send(event).await.unwrap();
        }
        let mut engine = Engine::new(Settings::default(), CallId(0));
        let mut outlets = Collect(Vec::new());
        let clock = Clock::default();
        for _ in 0..100 {
            let cancel = CancellationToken::new();
            let stop = cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                stop.cancel();
            });
            run(&mut engine, clock, &mut receiver, &mut outlets, cancel).await;
            if until(&outlets.0) {
                return outlets.0;
            }
        }
        panic!("not reached: {:#?}", outlets.0);
    }

    fn up() -> Event {
        Event::Node(NodeId(0), NodeEvent::Up(Snapshot::default()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_of_the_engine_wakes_it_without_any_event() {
        let answered = |commands: &[Command]| {
            commands.iter().any(|c| matches!(c, Command::Asterisk { request: AriRequest::Answer(_), .. }))
        };
        // The card never comes: the answer comes by the deadline.
        driven(vec![up(), arrival("+79001112233")], answered).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_at_once_comes_back_as_an_event() {
        let ended = |commands: &[Command]| commands.iter().any(|c| matches!(c, Command::CollectRecording { .. }));
        driven(vec![up(), arrival("")], ended).await;
    }
}

//! What people and programs ask of the engine while calls are in progress: the right things and the wrong ones.

use perezvon::engine::event::{Actor, Event, MonitorMode, Request, Target, TransferMode};
use perezvon::engine::ids::{AgentId, CallId, QueueId};
use perezvon::engine::settings::{Act, QueueSettings, Settings};
use perezvon::engine::view::CallStage;

use crate::world::{Happening, World};

impl World {
    pub fn next_wish(&mut self) {
        if let Some(every) = self.plan.habits.wish_every.filter(|_| !self.calm) {
            let span = self.rng.between(every / 10, every);
            self.after(span, Happening::Wish);
        }
    }

    /// Somebody wants something.
    pub fn wish(&mut self) {
        if self.calm {
            return;
        }
        let habits = self.plan.habits.clone();
        match self.rng.below(10) {
            0 if habits.statuses => self.status_wish(),
            1 if habits.feature_codes => {
                let index = self.rng.below(self.phones.len());
                self.dial_code(index);
            }
            2 => {
                let index = self.rng.below(self.phones.len());
                let agent = self.phones[index].agent;
                self.request(Actor::Agent(agent), Request::EndWrapUp(agent));
            }
            3 if habits.changes => self.change(),
            4 => self.wrong_wish(),
            5 if habits.monitors => self.monitor_wish(),
            _ => self.call_wish(),
        }
        self.next_wish();
    }

    fn status_wish(&mut self) {
        let agent = self.any_agent();
        let status = self.any_status();
        self.request(Actor::Person("chief".to_owned()), Request::SetStatus { agent, status });
    }

    fn any_agent(&mut self) -> AgentId {
        let index = self.rng.below(self.phones.len());
        self.phones[index].agent
    }

    /// Something about a call that is in progress.
    fn call_wish(&mut self) {
        let calls: Vec<(CallId, CallStage, Vec<AgentId>)> =
            self.checks.calls.values().map(|view| (view.call, view.stage, view.agents.clone())).collect();
        if calls.is_empty() {
            return;
        }
        let (call, stage, agents) = self.rng.pick(&calls).clone();
        let by = match agents.first() {
            Some(agent) if self.rng.per_mille(800) => Actor::Agent(*agent),
            Some(_) | None => Actor::Program("key".to_owned()),
        };
        let what = match (stage, self.rng.below(8)) {
            (CallStage::Consulting, 0..=3) => Request::CompleteTransfer(call),
            (CallStage::Consulting, _) => Request::CancelTransfer(call),
            (CallStage::Held, 0..=4) => Request::Resume(call),
            (_, 0) if self.plan.habits.hang_ups => Request::HangUp(call),
            (_, 1 | 2) => Request::Hold(call),
            (_, 3) => Request::Resume(call),
            (_, _) if self.plan.habits.transfers => self.transfer_wish(call),
            (_, _) => Request::Hold(call),
        };
        self.request(by, what);
    }

    /// A supervisor, who may be any agent, wants to hear a call, or not any more.
    fn monitor_wish(&mut self) {
        let calls: Vec<CallId> = self.checks.calls.keys().copied().collect();
        if calls.is_empty() {
            return;
        }
        let (call, agent) = (*self.rng.pick(&calls), self.any_agent());
        let what = match self.rng.below(5) {
            0 => Request::StopMonitor { call, agent },
            _ => Request::Monitor { call, agent, mode: *self.rng.pick(&MonitorMode::ALL) },
        };
        self.request(Actor::Person("chief".to_owned()), what);
    }

    fn transfer_wish(&mut self, call: CallId) -> Request {
        let to = match self.rng.below(5) {
            0 | 1 => Target::Agent(self.any_agent()),
            2 => Target::Queue(QueueId(self.rng.below(4) as u16)),
            3 => Target::Number("+79001112233".to_owned()),
            _ => Target::Number("+4912345".to_owned()),
        };
        let mode = if self.rng.coin() { TransferMode::Blind } else { TransferMode::Attended };
        Request::Transfer { call, to, mode }
    }

    /// What nobody should ask: unknown calls and agents, and views.
    fn wrong_wish(&mut self) {
        let what = match self.rng.below(6) {
            0 => Request::Hold(CallId(1)),
            1 => Request::SetStatus { agent: AgentId(999), status: perezvon::engine::view::Status::Ready },
            2 => Request::HangUp(CallId(2)),
            3 => Request::EndWrapUp(AgentId(999)),
            4 => Request::ViewCalls,
            _ => Request::ViewQueue,
        };
        self.request(Actor::Person("somebody".to_owned()), what);
    }

    /// Queues change their places or go: whatever names one leads to the same one, or to the first.
    fn rearrange(&mut self, settings: &mut Settings, change: impl FnOnce(&mut Vec<QueueSettings>)) {
        let before: Vec<String> = settings.queues.iter().map(|queue| queue.name.clone()).collect();
        change(&mut settings.queues);
        let now = |queue: QueueId| {
            let same = settings.queues.iter().position(|other| other.name == before[usize::from(queue.0)]);
            QueueId(same.unwrap_or(0) as u16)
        };
        settings.routes.values_mut().for_each(|queue| *queue = now(*queue));
        for menu in &mut settings.menus.list {
            for act in menu.keys.values_mut().chain([&mut menu.otherwise]) {
                if let Act::Queue(queue) = act {
                    *queue = now(*queue);
                }
            }
        }
        self.checks.queued.values_mut().for_each(|queued| queued.queue = now(queued.queue));
    }

    /// The office is described anew while it works.
    fn change(&mut self) {
        if self.rng.coin() {
            let mut settings = self.plan.settings.clone();
            let at = self.rng.below(settings.queues.len());
            match self.rng.below(3) {
                0 => {
                    let (strategy, _) = *self.rng.pick(&perezvon::engine::settings::Strategy::ALL);
                    settings.queues[at].strategy = strategy;
                }
                1 => self.rearrange(&mut settings, |queues| queues.rotate_left(at)),
                _ if settings.queues.len() > 1 => self.rearrange(&mut settings, |queues| {
                    queues.remove(at);
                }),
                _ => settings.queues[at].skill = None,
            }
            self.plan.settings = settings.clone();
            self.checks.changed_at = Some(self.now);
            self.feed(Event::SettingsChanged(Box::new(settings)));
        } else {
            let index = self.rng.below(self.plan.profiles.len());
            let profile = &mut self.plan.profiles[index];
            profile.queues.clear();
            profile.name.push('!');
            let profile = profile.clone();
            let mut stored = profile.clone();
            if let Some(known) = self.store.profiles().into_iter().find(|known| known.agent == profile.agent) {
                (stored.status, stored.idle_since) = (known.status, known.idle_since);
            }
            self.store.change(stored);
            self.checks.changed_at = Some(self.now);
            self.feed(Event::AgentChanged(profile));
        }
    }
}

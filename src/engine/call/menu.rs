//! A caller with an order on the way to the queue: the keys and prompts of [`OrderMenu`], and news of orders for those
//! who wait.

use std::sync::Arc;

use crate::domain::ids::{ClientId, OrderId};
use crate::domain::order::State;
use crate::engine::acd::queue::Place;
use crate::engine::call::{Call, Ivr, Phase, Timer};
use crate::engine::command::{Command, Fact};
use crate::engine::event::{Actor, CallerOrder, CancelRefused};
use crate::engine::ivr::Choice;
use crate::engine::ivr::menu::MenuWalk;
use crate::engine::ivr::order_status::{OrderMenu, Orders, Step, news_of};
use crate::engine::settings::Menus;
use crate::engine::shared::Shared;
use crate::engine::view::Disposition;
use crate::speech::Phrase;

/// Choices that are kept of one call: more is play.
const MOST_CHOICES: usize = 50;

impl Call {
    pub(super) fn orders<'a>(&'a self, core: &Shared) -> Orders<'a> {
        Orders { all: &self.card.orders, now: core.now.wall, utc_offset_minutes: core.settings.utc_offset_minutes }
    }

    /// There is something to tell this caller of.
    pub(super) fn has_news_of_orders(&self, core: &Shared) -> bool {
        core.settings.order_status && !self.card.blocked && self.orders(core).any()
    }

    /// The call is over for a caller who needed nobody.
    pub(super) fn is_informed(&self) -> bool {
        let settled =
            |choice: &Choice| matches!(choice, Choice::HeardStatus | Choice::CancelledOrder(_) | Choice::AskedFor(_));
        // Who was called and presses a key has heard enough.
        let keyed = |choice: &Choice| self.outgoing && !matches!(choice, Choice::NoKey | Choice::CalledBack(_));
        let settled = |choice: &Choice| settled(choice) || keyed(choice);
        self.queued.is_none() && self.choices.iter().any(settled)
    }

    /// The call is this client's.
    pub(in crate::engine) fn is_of(&self, client: ClientId) -> bool {
        self.card.client == Some(client) && self.phase != Phase::Ending
    }

    /// The greeting, or what was said in its place, is over: what comes before the queue?
    pub(super) fn greeted(&mut self, core: &mut Shared) {
        let open = core.settings.after_hours.is_empty()
            || core.settings.hours.open(core.now.wall, core.settings.utc_offset_minutes);
        if self.closed {
            self.finish(core, Disposition::AfterHours, 16);
        } else if self.menu.is_none() && self.has_news_of_orders(core) {
            // The card may have come while the greeting was said.
            self.begin_menu(core, false);
        } else if !open {
            self.closed = true;
            self.phase = Phase::Greeting;
            let told = Phrase::Free(core.settings.after_hours.clone());
            self.play(core, vec![told], true);
            self.publish(core);
        } else if let (None, Some((walk, step))) = (&self.menu, MenuWalk::begin(&core.menus)) {
            self.menu = Some(Ivr::Walk(walk));
            self.menus = Arc::clone(&core.menus);
            self.phase = Phase::Menu;
            self.follow(core, None, step);
            self.publish(core);
        } else {
            self.enter_queue(core, self.queue, None);
        }
    }

    /// How the orders stand, at once: with a short word of greeting where none was said yet.
    pub(super) fn begin_menu(&mut self, core: &mut Shared, greet: bool) {
        let (menu, step) = OrderMenu::begin(self.orders(core));
        self.menu = Some(Ivr::Orders(menu));
        self.phase = Phase::Menu;
        let step = match step {
            Step::Say(phrases) if greet && core.settings.greeting => {
                Step::Say([Phrase::Hello].into_iter().chain(phrases).collect())
            }
            other @ (Step::Say(_)
            | Step::Cancel(_)
            | Step::SearchAgain(_)
            | Step::Queue(_)
            | Step::ToQueue(_)
            | Step::End
            | Step::Stay) => other,
        };
        self.follow(core, None, step);
        self.publish(core);
    }

    /// A key of the caller. Keys mean something in the menu alone.
    pub(in crate::engine) fn key(&mut self, core: &mut Shared, key: char) {
        self.key_delivers(core);
        if self.phase == Phase::Waiting {
            return self.waiting_key(core, key);
        }
        self.in_menu(core, |menu, orders, menus| match menu {
            Ivr::Orders(menu) => menu.key(key, orders),
            Ivr::Walk(walk) => walk.key(key, menus),
            Ivr::Told(told) => told.key(key, orders),
        });
    }

    /// The prompt of the menu is over.
    pub(super) fn prompt_heard(&mut self, core: &mut Shared, whole: bool) {
        self.in_menu(core, |menu, orders, _| match menu {
            Ivr::Orders(menu) => menu.heard(orders),
            Ivr::Walk(_) => (None, Step::Stay),
            Ivr::Told(told) => told.heard(whole, orders),
        });
        self.await_key(core);
    }

    /// Nothing came in time.
    pub(super) fn no_key(&mut self, core: &mut Shared) {
        if self.phase == Phase::Waiting {
            return self.not_answered(core);
        }
        self.in_menu(core, |menu, _, menus| match menu {
            Ivr::Orders(menu) => menu.silence(),
            Ivr::Walk(walk) => walk.silence(menus),
            Ivr::Told(told) => told.silence(),
        });
    }

    /// The office cancelled an order of the caller, or not.
    pub(in crate::engine) fn order_cancelled(
        &mut self,
        core: &mut Shared,
        order: OrderId,
        result: Result<(), CancelRefused>,
    ) {
        let news = result.is_ok() && self.order_ended(order);
        if self.cancelling() == Some(order) {
            self.in_menu(core, |menu, orders, _| match menu {
                Ivr::Orders(menu) => menu.cancelled(order, result, orders),
                Ivr::Walk(_) => (None, Step::Stay),
                Ivr::Told(told) => told.done(order, result, orders),
            });
        } else if result.is_ok() {
            // The caller has gone on meanwhile, told that it could not be done.
            self.chose(core, Choice::CancelledOrder(order));
            if news {
                self.note_news(core, order);
            }
        }
        self.prioritize(core);
        self.publish(core);
    }

    /// The order that the caller is having cancelled, and waits for that.
    fn cancelling(&self) -> Option<OrderId> {
        match self.menu.as_ref().filter(|_| self.phase == Phase::Menu)? {
            Ivr::Orders(menu) => menu.cancelling(),
            Ivr::Walk(_) => None,
            Ivr::Told(told) => told.cancelling(),
        }
    }

    /// The order is cancelled; false if that was known.
    fn order_ended(&mut self, order: OrderId) -> bool {
        let open = |known: &CallerOrder| known.order == order && known.state != State::Cancelled;
        let news = self.card.orders.iter().any(open);
        let orders = self.card.orders.iter().cloned();
        self.card.orders = orders
            .map(|known| if known.order == order { CallerOrder { state: State::Cancelled, ..known } } else { known })
            .collect();
        news
    }

    /// The office looks for a car again, or not.
    pub(in crate::engine) fn searched_again(
        &mut self,
        core: &mut Shared,
        order: OrderId,
        result: Result<(), CancelRefused>,
    ) {
        self.in_menu(core, |menu, orders, _| match menu {
            Ivr::Orders(_) | Ivr::Walk(_) => (None, Step::Stay),
            Ivr::Told(told) => told.done(order, result, orders),
        });
    }

    /// An order of the caller was taken or changed.
    pub(in crate::engine) fn order_changed(&mut self, core: &mut Shared, order: &CallerOrder) {
        let known = self.card.orders.iter().find(|known| known.order == order.order);
        let tells = known.is_some_and(|known| differs(known, order));
        let others = self.card.orders.iter().filter(|known| known.order != order.order).cloned();
        self.card.orders = [order.clone()].into_iter().chain(others).collect();
        self.prioritize(core);
        let id = order.order;
        if tells {
            self.outdated.push(id);
        }
        // What the caller cancels by a key is told by the menu itself.
        if tells && self.cancelling() != Some(id) {
            match self.phase {
                Phase::Menu => {
                    let speaking = self.prompt.is_some();
                    self.in_menu(core, |menu, orders, _| match menu {
                        Ivr::Orders(menu) => menu.changed(id, speaking, orders),
                        Ivr::Walk(_) => (None, Step::Stay),
                        Ivr::Told(told) => told.changed(id, speaking, orders),
                    });
                }
                Phase::Loading
                | Phase::Greeting
                | Phase::Waiting
                | Phase::Dialling(_)
                | Phase::Joining(_)
                | Phase::Talking(_)
                | Phase::Held(_)
                | Phase::Consulting(..)
                | Phase::Ending => self.note_news(core, id),
            }
        }
        self.publish(core);
    }

    /// The caller is to hear of this order: now, or when nothing else is being said.
    fn note_news(&mut self, core: &mut Shared, order: OrderId) {
        if !self.news.contains(&order) {
            self.news.push(order);
        }
        if self.prompt.is_none() {
            self.tell_waiting(core);
        }
    }

    /// Tells a waiting caller what changed; whether there was anything to tell.
    pub(super) fn tell_waiting(&mut self, core: &mut Shared) -> bool {
        // A caller whose call is being offered is about to talk: no news to be cut off.
        let asked = self.call_back.is_some();
        if self.news.is_empty() || self.phase != Phase::Waiting || !self.legs.is_empty() || asked {
            return false;
        }
        let news = std::mem::take(&mut self.news);
        let orders = self.orders(core);
        let several = news.len() > 1;
        let (told, said): (Vec<_>, Vec<_>) =
            news.iter().filter_map(|order| Some((*order, news_of(*order, several, orders)?))).unzip();
        if said.is_empty() {
            return false;
        }
        told.iter().for_each(|order| self.chose(core, Choice::HeardChange(*order)));
        self.play(core, said, false);
        self.being_told = told;
        true
    }

    /// The priority by the card as it is now; who waits moves in the line.
    pub(super) fn prioritize(&mut self, core: &mut Shared) {
        self.card.priority = self.group_priority;
        self.card.priority = core.settings.precedence.of(&self.card);
        let priority = core.queue(self.queue).priority.saturating_add(self.card.priority);
        if std::mem::replace(&mut self.priority, priority) == priority {
            return;
        }
        if let (Some((place, eligible)), Some(entered)) = (self.place, self.queued) {
            let better = Place::new(self.id, entered, priority, core.settings.priority_step);
            self.place = Some((better, eligible));
            let line = core.line(self.queue, self.node);
            line.leave(place, eligible);
            line.enter(better, eligible);
            self.set_memo(core);
            self.journal_queued(core, entered);
        }
    }

    fn in_menu(&mut self, core: &mut Shared, act: impl FnOnce(&mut Ivr, Orders<'_>, &Menus) -> (Option<Choice>, Step)) {
        if self.phase != Phase::Menu {
            return;
        }
        let Some(mut menu) = self.menu.take() else { return };
        let (choice, step) = act(&mut menu, self.orders(core), &self.menus);
        self.menu = Some(menu);
        self.follow(core, choice, step);
    }

    pub(super) fn follow(&mut self, core: &mut Shared, choice: Option<Choice>, step: Step) {
        if let Some(choice) = choice {
            self.chose(core, choice);
        }
        match step {
            Step::Say(phrases) => {
                if let Some(Ivr::Walk(walk)) = &self.menu {
                    self.language = walk.language(&self.menus).unwrap_or(self.language);
                }
                self.disarm(Timer::Key);
                self.play(core, phrases, false);
            }
            Step::Cancel(order) => {
                self.stop_prompt(core);
                if let Some(client) = self.card.client {
                    core.out.push_back(Command::CancelOrder { call: self.id, client, order });
                }
                self.await_key(core);
            }
            Step::SearchAgain(order) => {
                self.stop_prompt(core);
                if let Some(client) = self.card.client {
                    core.out.push_back(Command::SearchAgain { call: self.id, client, order });
                }
                self.await_key(core);
            }
            Step::Queue(mut phrases) => {
                self.goes_first(core);
                let told_before = matches!(self.menu, Some(Ivr::Walk(_)));
                if core.settings.greeting && core.settings.recording_notice && !told_before {
                    phrases.push(Phrase::Recorded);
                }
                if phrases.is_empty() {
                    self.stop_prompt(core);
                    self.greeted(core);
                } else {
                    self.disarm(Timer::Key);
                    self.phase = Phase::Greeting;
                    self.play(core, phrases, true);
                    self.publish(core);
                }
            }
            Step::ToQueue(queue) => {
                self.stop_prompt(core);
                self.enter_queue(core, queue, None);
            }
            Step::End => self.finish(core, Disposition::Informed, 16),
            Step::Stay => {}
        }
    }

    /// Waits for a key, unless something is being said: then the wait begins after it.
    fn await_key(&mut self, core: &mut Shared) {
        if self.phase == Phase::Menu
            && self.prompt.is_none()
            && let Some(menu) = &self.menu
        {
            let patience = match menu {
                Ivr::Orders(menu) => menu.patience(),
                Ivr::Walk(walk) => walk.patience(&self.menus),
                Ivr::Told(told) => told.patience(),
            };
            self.arm(core, Timer::Key, patience);
        }
    }

    pub(super) fn chose(&mut self, core: &mut Shared, choice: Choice) {
        self.tell_callbacks(core, choice);
        if self.choices.len() >= MOST_CHOICES {
            return;
        }
        self.choices.push(choice);
        core.persist(Fact::CallNoted {
            call: self.id,
            what: choice.as_str(),
            detail: choice.detail(),
            by: Actor::Engine,
            at: core.now.wall,
        });
    }
}

/// What a caller would hear differs.
fn differs(known: &CallerOrder, now: &CallerOrder) -> bool {
    known.state != now.state || known.eta != now.eta || known.car != now.car || known.booked_for != now.booked_for
}

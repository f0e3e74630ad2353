//! Orders of callers: how they stand in the office, how they change while their caller is on the line, and the keys that
//! callers press.

use perezvon::domain::ids::{ClientId, OrderId};
use perezvon::domain::order::{Eta, State};
use perezvon::engine::callback::request::KeptPlace;
use perezvon::engine::event::{CallerOrder, CancelRefused, Event, NodeEvent};
use perezvon::engine::ids::CallId;
use perezvon::engine::time::Wall;

use crate::plan::{BEGINNING, MS, Plan, SECOND};
use crate::rng::Rng;
use crate::world::{Happening, World};

const STATES: [State; 6] =
    [State::Searching, State::Assigned, State::Arrived, State::InTrip, State::NotFound, State::Completed];
const KEYS: [char; 8] = ['0', '1', '1', '2', '2', '*', '#', '7'];

/// Orders that a caller has at the beginning.
pub fn draw(rng: &mut Rng, plan: &Plan, index: usize) -> Vec<CallerOrder> {
    if !rng.per_mille(plan.habits.has_order) {
        return Vec::new();
    }
    let count = if rng.coin() { 1 } else { rng.between(1, 4) };
    (0..count)
        .map(|at| {
            let id = OrderId(index as i64 * 10 + at);
            in_state(CallerOrder::new(id, State::Searching, Wall(BEGINNING - at * 1000)), *rng.pick(&STATES))
        })
        .collect()
}

fn in_state(order: CallerOrder, state: State) -> CallerOrder {
    let eta = (state == State::Assigned).then_some(Eta { minutes: 5, made_at: Wall(BEGINNING) });
    CallerOrder { state, eta, ..order }
}

/// Whose card the caller has.
pub fn client(index: usize) -> ClientId {
    ClientId(index as i64 + 1)
}

impl World {
    /// The caller presses some key, and another one after a while.
    pub fn caller_presses(&mut self, index: usize) {
        let (node, channel) = (self.callers[index].node, self.callers[index].channel.clone());
        let here = self.nodes[node].channels.get(&channel).is_some_and(|channel| channel.in_app);
        if !here {
            return;
        }
        let digit = *self.rng.pick(&KEYS);
        self.callers[index].pressed.push(digit);
        self.tell(node, NodeEvent::Digit { channel, digit });
        let span = *self.rng.pick(&[50 * MS, 400 * MS, 3 * SECOND, 9 * SECOND]);
        self.after(span, Happening::CallerPresses(index));
    }

    /// An order goes on, whoever did it.
    pub fn order_changes(&mut self, index: usize) {
        let mut orders = self.callers[index].card.orders.to_vec();
        let Some(at) = (!orders.is_empty()).then(|| self.rng.below(orders.len())) else { return };
        let state = if self.rng.per_mille(200) { State::Cancelled } else { *self.rng.pick(&STATES) };
        if !orders[at].state.is_ended() {
            orders[at] = in_state(orders[at].clone(), state);
            self.store_orders(index, orders, at);
        }
        let span = self.rng.between(SECOND, 20 * SECOND);
        if !self.calm {
            self.after(span, Happening::OrderChanges(index));
        }
    }

    fn store_orders(&mut self, index: usize, orders: Vec<CallerOrder>, changed: usize) {
        let order = Box::new(orders[changed].clone());
        self.callers[index].card.orders = orders.into();
        let span = self.rng.between(MS, 30 * MS);
        self.after(span, Happening::OrderTold { engine: self.incarnation, client: client(index), order });
    }

    /// The engine wants an order cancelled: has its caller wanted it?
    pub fn cancel_order(&mut self, call: CallId, client: ClientId, order: OrderId) {
        let Some(index) = usize::try_from(client.0 - 1).ok().filter(|index| *index < self.callers.len()) else {
            self.violate(format!(
                "order {} of client {} is to be cancelled: there is no such client",
                order.0, client.0
            ));
            return;
        };
        let caller = &self.callers[index];
        let asked = caller.pressed.iter().position(|key| *key == '2');
        let confirmed = asked.is_some_and(|at| caller.pressed.iter().skip(at + 1).any(|key| *key == '1'));
        if !confirmed || !caller.card.orders.iter().any(|known| known.order == order) {
            let text = format!("order {} is cancelled; its caller pressed only {:?}", order.0, caller.pressed);
            self.violate(text);
        }
        if self.rng.per_mille(self.plan.habits.no_card) {
            // The database is away.
            return;
        }
        let span = if self.rng.per_mille(100) { 6 * SECOND } else { self.rng.between(MS, 50 * MS) };
        self.after(span, Happening::OfficeCancels { engine: self.incarnation, call, index, order });
    }

    /// A caller wants to be called back: the store keeps the place, cannot, or is away.
    pub fn keep_place(&mut self, call: CallId, number: String, client: Option<ClientId>, place: KeptPlace) {
        if self.rng.per_mille(200) {
            return;
        }
        let kept = self.rng.per_mille(750).then(|| Box::new(self.store.keep(number, client, place, self.wall())));
        let span = if self.rng.per_mille(100) { 6 * SECOND } else { self.rng.between(MS, 50 * MS) };
        self.after(span, Happening::PlaceKept { engine: self.incarnation, call, kept });
    }

    pub fn office_cancels(&mut self, engine: u32, call: CallId, index: usize, order: OrderId) {
        let mut orders = self.callers[index].card.orders.to_vec();
        let at = orders.iter().position(|known| known.order == order);
        let result = match at.map(|at| (at, orders[at].state)) {
            Some((at, State::Searching | State::Assigned | State::Arrived | State::NotFound)) => {
                orders[at] = in_state(orders[at].clone(), State::Cancelled);
                self.store_orders(index, orders, at);
                Ok(())
            }
            Some((_, State::InTrip)) => Err(CancelRefused::InTrip),
            Some((_, State::Completed | State::Cancelled | State::False)) | None => Err(CancelRefused::Ended),
        };
        if engine == self.incarnation {
            self.feed(Event::OrderCancelled { call, order, result });
        }
    }
}

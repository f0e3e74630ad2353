//! The office's settings change while calls are in progress: nobody who waits loses the place.
//!
//! A queue is the same queue as long as it has the same name, wherever it stands in the list. Who waits in one that is
//! no more waits on in the first queue, with the moment of arrival that counted before: that is where callers go of
//! whom nothing else is said, too. Who is in a menu hears that menu to its end; its keys lead to the queues by name.

use std::sync::Arc;

use super::Engine;
use super::ids::QueueId;
use super::settings::{Act, Menu, Menus, Settings};

/// Where each queue is now.
#[derive(Clone, Debug)]
pub(super) struct Renumbered(Vec<Option<QueueId>>);

impl Renumbered {
    /// `None` where every queue is still where it was.
    pub fn of<'a>(
        before: impl Iterator<Item = &'a str>,
        after: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<Renumbered> {
        let place = |name| after.clone().position(|other| other == name).and_then(|at| u16::try_from(at).ok());
        let now: Vec<_> = before.map(|name| place(name).map(QueueId)).collect();
        let same = now.iter().enumerate().all(|(at, queue)| queue.is_some_and(|queue| usize::from(queue.0) == at));
        (!same).then_some(Renumbered(now))
    }

    /// The same queue, if it is still there.
    pub fn kept(&self, queue: QueueId) -> Option<QueueId> {
        self.0.get(usize::from(queue.0)).copied().flatten()
    }

    /// The same queue, or the first.
    pub fn now(&self, queue: QueueId) -> QueueId {
        self.kept(queue).unwrap_or_default()
    }

    /// These menus, leading to where the queues are now.
    pub fn menus(&self, menus: &Menus) -> Menus {
        let act = |act: &Act| match act {
            Act::Queue(queue) => Act::Queue(self.now(*queue)),
            Act::Menu(_) | Act::Say(_) | Act::Repeat | Act::HangUp => act.clone(),
        };
        let menu = |menu: &Menu| Menu {
            keys: menu.keys.iter().map(|(key, leads)| (*key, act(leads))).collect(),
            otherwise: act(&menu.otherwise),
            ..menu.clone()
        };
        Menus { start: menus.start, list: menus.list.iter().map(menu).collect() }
    }
}

impl Engine {
    /// New settings, from now on.
    pub(super) fn settings_changed(&mut self, settings: Settings) {
        let Some(moved) = self.core.set_settings(settings) else { return };
        self.kept.renumber(&moved);
        // Most who are in a menu are in the same.
        let mut last: Option<(Arc<Menus>, Arc<Menus>)> = None;
        for call in self.calls.values_mut() {
            call.renumber(&mut self.core, &moved, |menus| match &last {
                Some((of, renumbered)) if Arc::ptr_eq(of, menus) => Arc::clone(renumbered),
                Some(_) | None => {
                    let renumbered = Arc::new(moved.menus(menus));
                    last = Some((Arc::clone(menus), Arc::clone(&renumbered)));
                    renumbered
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_the_same_by_its_name() {
        let of = |before: &[&'static str], after: &[&'static str]| {
            Renumbered::of(before.iter().copied(), after.iter().copied())
        };
        assert!(of(&["main", "vip"], &["main", "vip", "new"]).is_none());
        let moved = of(&["main", "old", "vip"], &["vip", "main"]).unwrap();
        let now: Vec<_> = (0..4).map(|at| moved.now(QueueId(at)).0).collect();
        assert_eq!(now, [1, 0, 0, 0]);
        assert_eq!((moved.kept(QueueId(1)), moved.kept(QueueId(2))), (None, Some(QueueId(0))));
        let menu = Menu {
            say: String::new(),
            language: None,
            wait: std::time::Duration::ZERO,
            times: 1,
            keys: [('1', Act::Queue(QueueId(2))), ('2', Act::Repeat)].into(),
            otherwise: Act::Queue(QueueId(0)),
        };
        let menus = moved.menus(&Menus { start: Some(0), list: vec![menu] });
        assert_eq!(menus.list[0].keys[&'1'], Act::Queue(QueueId(0)));
        assert_eq!(menus.list[0].otherwise, Act::Queue(QueueId(1)));
    }
}

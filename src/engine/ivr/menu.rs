//! Voice menus that an administrator describes: a text is said, a key leads on. Nothing here waits: keys and ends of
//! prompts come in, steps go out.

use std::time::Duration;

use super::order_status::Step;
use super::{Choice, MOST_WRONG};
use crate::engine::settings::{Act, Menu, Menus};
use crate::speech::{Language, Phrase};

/// Prompts of one call: a menu that leads round in a circle ends in the queue.
const MOST_PROMPTS: u32 = 20;

/// One caller's way through the menus.
#[derive(Clone, Debug)]
pub struct MenuWalk {
    /// Place of the present menu in the list.
    at: usize,
    /// How often it was said.
    said: u8,
    wrong: u8,
    prompts: u32,
}

impl MenuWalk {
    /// Begins with the first menu; `None` where there is none.
    #[must_use]
    pub fn begin(menus: &Menus) -> Option<(MenuWalk, Step)> {
        let at = menus.start?;
        let mut walk = MenuWalk { at, said: 0, wrong: 0, prompts: 0 };
        let step = walk.enter(at, menus);
        Some((walk, step))
    }

    /// How long a key is waited for after the last word.
    #[must_use]
    pub fn patience(&self, menus: &Menus) -> Duration {
        menus.list.get(self.at).map_or(Duration::ZERO, |menu| menu.wait)
    }

    /// The language of the present menu, where it has one of its own.
    #[must_use]
    pub fn language(&self, menus: &Menus) -> Option<Language> {
        menus.list.get(self.at)?.language
    }

    /// A key was pressed.
    pub fn key(&mut self, key: char, menus: &Menus) -> (Option<Choice>, Step) {
        let Some(menu) = menus.list.get(self.at) else { return (None, Step::Queue(Vec::new())) };
        match menu.keys.get(&key) {
            Some(act @ Act::Say(_)) => (Some(Choice::AskedFor(key)), self.act(act, menus)),
            Some(act) => (Some(Choice::Key(key)), self.act(act, menus)),
            None => {
                self.wrong += 1;
                let step = if self.wrong >= MOST_WRONG {
                    self.act(&menu.otherwise, menus)
                } else {
                    self.say(vec![Phrase::WrongKey, Phrase::Free(menu.say.clone())])
                };
                (Some(Choice::WrongKey(key)), step)
            }
        }
    }

    /// Nothing was pressed in [`patience`](Self::patience).
    pub fn silence(&mut self, menus: &Menus) -> (Option<Choice>, Step) {
        let Some(menu) = menus.list.get(self.at) else { return (None, Step::Queue(Vec::new())) };
        if self.said < menu.times {
            (None, self.again(menu))
        } else {
            (Some(Choice::NoKey), self.act(&menu.otherwise, menus))
        }
    }

    fn act(&mut self, act: &Act, menus: &Menus) -> Step {
        match act {
            Act::Queue(queue) => Step::ToQueue(*queue),
            Act::Menu(at) => self.enter(*at, menus),
            Act::Say(text) => self.say(vec![Phrase::Free(text.clone())]),
            Act::Repeat => match menus.list.get(self.at) {
                Some(menu) => self.again(menu),
                None => Step::Queue(Vec::new()),
            },
            Act::HangUp => Step::End,
        }
    }

    fn enter(&mut self, at: usize, menus: &Menus) -> Step {
        let Some(menu) = menus.list.get(at) else { return Step::Queue(Vec::new()) };
        self.at = at;
        self.said = 0;
        self.wrong = 0;
        self.again(menu)
    }

    fn again(&mut self, menu: &Menu) -> Step {
        self.said = self.said.saturating_add(1);
        self.say(vec![Phrase::Free(menu.say.clone())])
    }

    fn say(&mut self, phrases: Vec<Phrase>) -> Step {
        self.prompts += 1;
        if self.prompts > MOST_PROMPTS { Step::Queue(Vec::new()) } else { Step::Say(phrases) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::ids::QueueId;

    fn menus() -> Menus {
        let menu = |say: &str, keys: &[(char, Act)], otherwise| Menu {
            say: say.to_owned(),
            language: None,
            wait: Duration::from_secs(5),
            times: 2,
            keys: keys.iter().cloned().collect::<BTreeMap<_, _>>(),
            otherwise,
        };
        let keys = [
            ('1', Act::Queue(QueueId(1))),
            ('2', Act::Menu(1)),
            ('3', Act::Say("Мы на улице Ленина.".to_owned())),
            ('9', Act::Repeat),
            ('0', Act::HangUp),
        ];
        let first = menu("Нажмите один.", &keys, Act::Queue(QueueId(0)));
        let circle = menu("Кругом.", &[], Act::Menu(1));
        Menus { start: Some(0), list: vec![first, circle] }
    }

    fn said(text: &str) -> Step {
        Step::Say(vec![Phrase::Free(text.to_owned())])
    }

    #[test]
    fn a_key_does_what_the_description_says() {
        let menus = menus();
        let (walk, first) = MenuWalk::begin(&menus).unwrap();
        assert_eq!(first, said("Нажмите один."));
        for (key, step) in [
            ('1', Step::ToQueue(QueueId(1))),
            ('2', said("Кругом.")),
            ('3', said("Мы на улице Ленина.")),
            ('9', said("Нажмите один.")),
            ('0', Step::End),
        ] {
            let choice = if key == '3' { Choice::AskedFor(key) } else { Choice::Key(key) };
            assert_eq!(walk.clone().key(key, &menus), (Some(choice), step));
        }
    }

    #[test]
    fn who_presses_nothing_hears_it_again_and_then_goes_where_the_description_says() {
        let menus = menus();
        let (mut walk, _) = MenuWalk::begin(&menus).unwrap();
        assert_eq!(walk.silence(&menus), (None, said("Нажмите один.")));
        assert_eq!(walk.silence(&menus), (Some(Choice::NoKey), Step::ToQueue(QueueId(0))));
    }

    #[test]
    fn wrong_keys_lead_to_a_person_and_no_circle_is_endless() {
        let menus = menus();
        let (mut walk, _) = MenuWalk::begin(&menus).unwrap();
        let wrong = |walk: &mut MenuWalk| walk.key('#', &menus).1;
        let again = Step::Say(vec![Phrase::WrongKey, Phrase::Free("Нажмите один.".to_owned())]);
        assert_eq!((wrong(&mut walk), wrong(&mut walk)), (again.clone(), again));
        assert_eq!(wrong(&mut walk), Step::ToQueue(QueueId(0)));
        let (mut walk, _) = MenuWalk::begin(&menus).unwrap();
        walk.key('2', &menus);
        let mut steps = 0;
        while walk.silence(&menus).1 != Step::Queue(Vec::new()) {
            steps += 1;
            assert!(steps < 100, "round and round");
        }
    }
}

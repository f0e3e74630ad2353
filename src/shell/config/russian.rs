//! Why a value cannot hold, for administrators who read Russian: for whatever may be set in the console.

/// How a reason begins in English and in Russian. The rest (names, numbers) follows as it is.
const REASONS: &[(&str, &str)] = &[
    ("use 1 to 40 letters, digits, `-` and `_`", "нужно от 1 до 40 латинских букв, цифр, - и _"),
    ("another queue has this name", "так уже называется другая очередь"),
    ("there can be at most ", "слишком много очередей; предел: "),
    ("there is no such queue; there are", "такой очереди нет; есть"),
    ("it is not a number that can be dialled", "это не номер, который можно набрать"),
    ("give the beginning of a number: `+` and digits, such as ", "нужно начало номера: + и цифры, например "),
    ("it needs `skill` beside it", "рядом нужно название навыка"),
    ("each menu needs a name of its own", "у каждого меню должно быть своё имя"),
    ("there is no such menu; there are", "такого меню нет; есть"),
    ("write what callers hear", "напишите, что слышит звонящий"),
    ("a key is one of 0 to 9, * and #", "клавиша: от 0 до 9, * или #"),
    ("use `queue NAME`, ", "нужно `queue ИМЯ`, "),
    ("nobody listens to more than ", "слишком длинно; предел, знаков: "),
    ("write days, a space and times: ", "нужны дни, пробел и часы: "),
    ("write from when until when: ", "нужно, с какого часа до какого: "),
    ("no such time", "такого времени нет"),
    ("days are mon, tue, wed, thu, fri, sat, sun, or daily", "дни: mon, tue, wed, thu, fri, sat, sun или daily"),
    ("times are 00:00 to 24:00", "часы: от 00:00 до 24:00"),
    ("it is not a telephone number", "это не телефонный номер"),
    ("use task, call or none", "нужно task, call или none"),
    ("say what clients hear on their day", "напишите, что слышит клиент в свой день"),
    ("use one of ", "нужно одно из: "),
];

/// The reason in Russian; `None` for one that is not known here.
pub(super) fn reason(why: &str) -> Option<String> {
    // `use 1 to 20 seconds`, `use 1 to 86400, which is a day; …`
    if let Some((least, rest)) = why.strip_prefix("use ").and_then(|rest| rest.split_once(" to ")) {
        let most: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if least.bytes().all(|b| b.is_ascii_digit()) && !most.is_empty() && !rest.starts_with("40 letters") {
            return Some(format!("можно от {least} до {most}"));
        }
    }
    let (english, russian) = REASONS.iter().find(|(english, _)| why.starts_with(english))?;
    Some(format!("{russian}{}", why.strip_prefix(english)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shell::config::ConfigError;
    use crate::shell::config::sections::{Part, Section, Written};

    #[test]
    fn whatever_is_refused_in_the_console_is_explained_in_russian() {
        let long = "я".repeat(1001);
        let menu = |more: serde_json::Value| {
            let mut menu = json!({ "name": "a", "say": "b", "otherwise": "repeat" });
            menu.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "list": [menu] })
        };
        let queue = |more: serde_json::Value| json!({ "defaults": more });
        for (section, wrong) in [
            (Section::Queues, json!({ "list": [{ "name": "a b" }] })),
            (Section::Queues, json!({ "list": [{ "name": "a" }, { "name": "a" }] })),
            (Section::Queues, queue(json!({ "ring_seconds": 1 }))),
            (Section::Queues, queue(json!({ "strategy": "best" }))),
            (Section::Queues, queue(json!({ "skill_level": 3 }))),
            (Section::Queues, queue(json!({ "skill": "a", "skill_level": 30 }))),
            (Section::Queues, json!({ "priority_step_seconds": 0 })),
            (Section::Numbers, json!({ "routes": { "100": "none" } })),
            (Section::Numbers, json!({ "routes": { "": "main" } })),
            (Section::Numbers, json!({ "allowed_numbers": ["seven"] })),
            (Section::Menus, json!({ "start": "none" })),
            (Section::Menus, menu(json!({ "name": "" }))),
            (Section::Menus, menu(json!({ "say": "" }))),
            (Section::Menus, menu(json!({ "say": long }))),
            (Section::Menus, menu(json!({ "language": "de" }))),
            (Section::Menus, menu(json!({ "wait_seconds": 0 }))),
            (Section::Menus, menu(json!({ "times": 11 }))),
            (Section::Menus, menu(json!({ "keys": { "12": "repeat" } }))),
            (Section::Menus, menu(json!({ "keys": { "1": "jump" } }))),
            (Section::Menus, menu(json!({ "keys": { "1": "queue none" } }))),
            (Section::Office, json!({ "language": "de" })),
            (Section::Office, json!({ "hours": ["always"] })),
            (Section::Office, json!({ "hours": ["mon 8"] })),
            (Section::Office, json!({ "hours": ["foo 08:00-09:00"] })),
            (Section::Office, json!({ "hours": ["mon 25:00-26:00"] })),
            (Section::Notifications, json!({ "attempts": 0 })),
            (Section::Notifications, json!({ "interval_seconds": 0 })),
            (Section::Notifications, json!({ "lines": 0 })),
            (Section::Notifications, json!({ "ring_seconds": 1 })),
            (Section::Notifications, json!({ "show_number": "none" })),
            (Section::Notifications, json!({ "attention": "dance" })),
            (Section::Notifications, json!({ "attention": "call" })),
            (Section::Notifications, json!({ "notify": { "eta_minutes": 200 } })),
        ] {
            let part = Part::read(section, wrong.clone()).unwrap();
            let Err(ConfigError::Value { why, .. }) = Written::default().with(part).decide() else {
                panic!("{wrong} is not refused");
            };
            let russian = reason(&why).unwrap_or_else(|| panic!("{wrong}: {why}"));
            assert!(russian.chars().any(|letter| ('а'..='я').contains(&letter)), "{russian}");
        }
        assert_eq!(reason("use 1 to 86400, which is a day").unwrap(), "можно от 1 до 86400");
        assert_eq!(reason("there is no such queue; there are main").unwrap(), "такой очереди нет; есть main");
    }
}

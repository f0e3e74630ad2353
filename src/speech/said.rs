//! What is said at once: several phrases as one text for a synthesizer and as a row of shipped sounds.

use super::fragment::Fragment;
use super::phrase::{Language, Phrase, script};

/// What a list of phrases sounds like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// For a synthesizer: whole sentences, in Russian without digits or Latin letters, stress marked by U+0301 where it
    /// is known. `None` where fragments alone say everything.
    pub sentence: Option<String>,
    /// Shipped sounds that say the same without the free text (streets, names, unknown makes). Never empty.
    pub fragments: Vec<Fragment>,
}

/// What these phrases, one after another, sound like.
pub fn said(phrases: &[Phrase], language: Language) -> Said {
    let script = script(phrases, language);
    // A car's description takes a fifth longer when it is joined of fragments: it is better said as a whole.
    let with_car = phrases
        .iter()
        .any(|phrase| matches!(phrase, Phrase::Order(order) | Phrase::OrderChanged(order) if order.car.is_some()));
    let sentence = (with_car || script.has_free_words()).then(|| script.spoken());
    Said { sentence, fragments: script.sounds_or_patience() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::{Address, Car};
    use crate::speech::fragments;
    use crate::speech::order::{OrderStatus, Progress};

    fn camry() -> Car {
        Car {
            make: "Toyota".into(),
            model: "Camry".into(),
            colour: "белый".into(),
            plate: "А123ВС77".into(),
            callsign: "31".into(),
        }
    }

    #[test]
    fn free_words_are_for_the_synthesizer_and_the_rest_is_said_by_fragments() {
        let phrases = [Phrase::Free("Такси «Перезвон»".into()), Phrase::Recorded];
        let said = said(&phrases, Language::Ru);
        assert_eq!(said.sentence.as_deref(), Some("Такси Перезвон. Разговор может быть записан."));
        assert_eq!(said.fragments, fragments(&Phrase::Recorded, Language::Ru));
    }

    #[test]
    fn an_order_with_a_car_and_an_address_is_one_text_and_the_fragments_leave_the_address_out() {
        let order = OrderStatus {
            progress: Progress::Assigned { minutes: Some(5) },
            car: Some(camry()),
            from: Some(Address::street("ул. Ленина", "12к2")),
        };
        let said = said(&[Phrase::Greeting, Phrase::Order(order)], Language::Ru);
        assert_eq!(
            said.sentence.as_deref(),
            Some(
                "Здравствуйте! Вы позвонили в диспетчерскую. Заказ по адресу: улица Ленина, дом двенадцать, корпус два. \
                 К вам едет белая Тойо́та Ка́мри, номер а́, сто двадцать три, вэ эс. Будет через пять минут."
            )
        );
        let stems: Vec<_> = said.fragments.into_iter().map(Fragment::as_str).collect();
        let expected = "greeting pause-stop assigned-car colour-white-f make-toyota model-camry pause-comma plate-number \
            letter-a pause-comma number-100 number-20 number-3 pause-comma letter-v letter-s-end pause-stop will-be-in \
            number-5 minute-many-end";
        assert_eq!(stems, expected.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn of_several_orders_each_is_heard_to_be_another() {
        let order = |progress, street: &str| {
            Phrase::Order(OrderStatus { progress, car: None, from: Some(Address::street(street, "5")) })
        };
        let orders = [order(Progress::NotFound, "ул. Мира"), order(Progress::InTrip, "Садовая ул.")];
        let russian = said(&orders, Language::Ru);
        assert_eq!(
            russian.sentence.as_deref(),
            Some(
                "Заказ по адресу: улица Мира, дом пять. К сожалению, свободной машины пока нет. И ещё один заказ. Адрес: \
                 Садовая улица, дом пять. Ваша поездка уже началась."
            )
        );
        let stems: Vec<_> = russian.fragments.into_iter().map(Fragment::as_str).collect();
        assert_eq!(stems, ["not-found", "pause-stop", "another-order", "pause-stop", "in-trip"]);
        let english = said(&orders, Language::En).sentence;
        assert!(english.is_some_and(|words| words.contains("And one more order. From Sadovaia street, house five.")));
    }

    #[test]
    fn what_fragments_say_wholly_needs_no_synthesizer() {
        let said = said(&[Phrase::Greeting, Phrase::Position(3)], Language::Ru);
        assert_eq!(said.sentence, None);
    }

    #[test]
    fn nothing_is_never_silence() {
        for phrases in [vec![], vec![Phrase::Free(String::new())], vec![Phrase::Free("🚕".into())]] {
            assert_eq!(said(&phrases, Language::En).fragments, fragments(&Phrase::StayOnLine, Language::En));
        }
    }
}

//! What stands after the street: «12к2 п3» is house 12, block 2, entrance 3.

/// House, entrance and the rest, as typed after a street.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// Canonical: «12», «12А», «12/3», «12к2с1» (block 2, structure 1); empty when none was typed.
    pub house: String,
    /// Entrance; empty when none was typed.
    pub entrance: String,
    /// What is left, as typed: «кв 5», «у магазина».
    pub comment: String,
}

/// A piece of the text, with the place where it begins.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Number(&'a str),
    Word(&'a str),
    /// `/` or `-` between two numbers.
    Joint(char),
}

/// Digits of a house or entrance at most: more is a telephone number.
const DIGITS: usize = 5;

impl House {
    /// Reads it; what is not understood becomes the comment, so nothing typed is lost.
    #[must_use]
    pub fn read(text: &str) -> House {
        let lower = text.to_lowercase();
        let pieces = pieces(&lower);
        let mut house = House::default();
        let mut at = 0;
        while let Some((from, piece)) = pieces.get(at) {
            let after = pieces.get(at + 1).map(|(_, piece)| piece);
            match house.take(piece, after) {
                0 => {
                    house.comment =
                        lower.get(*from..).unwrap_or_default().trim().trim_end_matches([',', '.']).to_owned();
                    break;
                }
                taken => at += taken,
            }
        }
        house
    }

    /// Takes this piece, and the next where they belong together; answers how many.
    fn take(&mut self, piece: &Piece<'_>, after: Option<&Piece<'_>>) -> usize {
        let number = match after {
            Some(Piece::Number(number)) if number.len() <= DIGITS => Some(*number),
            Some(Piece::Number(_) | Piece::Word(_) | Piece::Joint(_)) | None => None,
        };
        match (piece, number) {
            (Piece::Number(digits), _) if self.house.is_empty() && digits.len() <= DIGITS => {
                self.house = (*digits).to_owned();
                1
            }
            (Piece::Joint(joint), Some(number)) if !self.house.is_empty() && self.entrance.is_empty() => {
                self.house.push(*joint);
                self.house.push_str(number);
                2
            }
            (Piece::Word("д" | "дом"), Some(_)) if self.house.is_empty() => 1,
            (Piece::Word("к" | "корп" | "корпус"), Some(number)) => self.add('к', number),
            (Piece::Word("с" | "стр" | "строение"), Some(number)) => self.add('с', number),
            (Piece::Word("п" | "под" | "подъезд"), Some(number)) if self.entrance.is_empty() => {
                self.entrance = number.to_owned();
                2
            }
            // Typed half-way: the number comes with the next keys.
            (Piece::Word("к" | "корп" | "корпус" | "с" | "стр" | "п" | "под" | "подъезд"), None) if after.is_none() => {
                1
            }
            (Piece::Word(word), None) if self.house.chars().all(|c| c.is_ascii_digit()) && !self.house.is_empty() => {
                self.letter(word)
            }
            (Piece::Number(_) | Piece::Word(_) | Piece::Joint(_), _) => 0,
        }
    }

    fn add(&mut self, mark: char, number: &str) -> usize {
        if self.house.is_empty() || !self.entrance.is_empty() {
            return 0;
        }
        self.house.push(mark);
        self.house.push_str(number);
        2
    }

    /// «12а», «12 а».
    fn letter(&mut self, word: &str) -> usize {
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if self.entrance.is_empty() => {
                self.house.extend(letter.to_uppercase());
                1
            }
            _ => 0,
        }
    }
}

fn pieces(text: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((from, letter)) = letters.next() {
        let like: fn(char) -> bool = match letter {
            _ if letter.is_ascii_digit() => |c| c.is_ascii_digit(),
            _ if letter.is_alphabetic() => char::is_alphabetic,
            '/' | '-' => {
                let between = matches!(pieces.last(), Some((_, Piece::Number(_))));
                if between && letters.peek().is_some_and(|(_, next)| next.is_ascii_digit()) {
                    pieces.push((from, Piece::Joint(letter)));
                }
                continue;
            }
            _ => continue,
        };
        let mut to = from + letter.len_utf8();
        while let Some((at, next)) = letters.next_if(|(_, next)| like(*next)) {
            to = at + next.len_utf8();
        }
        let word = text.get(from..to).unwrap_or_default();
        pieces.push((from, if letter.is_ascii_digit() { Piece::Number(word) } else { Piece::Word(word) }));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> [String; 3] {
        let House { house, entrance, comment } = House::read(text);
        [house, entrance, comment]
    }

    #[test]
    fn house_block_structure_letter_and_entrance_are_told_apart() {
        for (text, wanted) in [
            ("12", ["12", "", ""]),
            ("12к2 п3", ["12к2", "3", ""]),
            ("12 корп. 2, подъезд 3", ["12к2", "3", ""]),
            ("д. 12 стр 1 под.4", ["12с1", "4", ""]),
            ("12к2с1", ["12к2с1", "", ""]),
            ("12а", ["12А", "", ""]),
            ("12 А п 1", ["12А", "1", ""]),
            ("12/3", ["12/3", "", ""]),
            ("12-3 п2", ["12-3", "2", ""]),
            ("12ак2", ["12", "", "ак2"]),
            ("12 п2 у магазина «Нива»", ["12", "2", "у магазина «нива»"]),
            ("12 кв 5", ["12", "", "кв 5"]),
            ("12к", ["12", "", ""]),
            ("", ["", "", ""]),
            ("123456", ["", "", "123456"]),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
    }
}

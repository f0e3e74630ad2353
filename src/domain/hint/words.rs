//! A list of words that is searched by what people type: the beginning of a word, with slips of the fingers.

/// A word that begins as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its place in the list.
    pub(super) word: usize,
    /// How many letters were missing, too many, wrong or swapped with their neighbour.
    pub(super) typos: u8,
    /// Typed to its end.
    pub(super) complete: bool,
}

/// Letters of a typed word that are looked at.
const LONGEST: usize = 32;
/// Letters of a word in the list that are looked at: more than the typed ones and all slips.
const DEEPEST: usize = LONGEST + 3;

/// Words in alphabetical order, each once.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    letters: Vec<char>,
    /// Where each word begins in `letters`; one more for the end.
    starts: Vec<usize>,
    /// How many letters each word begins with that the word before has too.
    shared: Vec<usize>,
}

/// How many slips are forgiven: a short word with one would be any other short word.
pub(super) fn forgiven(typed: &[char]) -> u8 {
    if typed.iter().any(char::is_ascii_digit) {
        return 0;
    }
    match typed.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

impl Vocabulary {
    /// Of these words, which are sorted and different.
    pub(super) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Vocabulary {
        let mut list = Vocabulary { letters: Vec::new(), starts: vec![0], shared: Vec::new() };
        for word in words {
            let before = list.len().checked_sub(1).map_or(&[][..], |last| list.word(last));
            list.shared.push(before.iter().copied().zip(word.chars()).take_while(|(one, two)| one == two).count());
            list.letters.extend(word.chars());
            list.starts.push(list.letters.len());
        }
        list
    }

    pub(super) fn len(&self) -> usize {
        self.shared.len()
    }

    fn word(&self, at: usize) -> &[char] {
        let (Some(from), Some(to)) = (self.starts.get(at), self.starts.get(at + 1)) else { return &[] };
        self.letters.get(*from..*to).unwrap_or_default()
    }

    /// All words that begin as typed.
    pub(super) fn beginning(&self, typed: &[char], found: impl FnMut(Found)) {
        let from = self.first(|word| word < typed);
        let to = self.first(|word| word.get(..typed.len()).unwrap_or(word) <= typed);
        let complete = |at: usize| self.word(at).len() == typed.len();
        (from..to).map(|word| Found { word, typos: 0, complete: complete(word) }).for_each(found);
    }

    /// The first word of which this is not true any more.
    fn first(&self, before: impl Fn(&[char]) -> bool) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if before(self.word(middle)) { from = middle + 1 } else { to = middle }
        }
        from
    }

    /// All words that begin as typed but for this many slips (optimal string alignment distance: Damerau-Levenshtein
    /// without edits between swapped letters).
    ///
    /// Words are read in order, so the work for the letters that a word shares with the one before is done already,
    /// and all words with a hopeless beginning are passed over together.
    pub(super) fn resembling(&self, typed: &[char], typos: u8, mut found: impl FnMut(Found)) {
        let typed = typed.get(..LONGEST).unwrap_or(typed);
        let mut sheet = Sheet::new(typed);
        // How deep the sheet is filled in.
        let mut filled = 0;
        let mut at = 0;
        while at < self.len() {
            let word = self.word(at);
            let mut depth = self.shared.get(at).copied().unwrap_or(0).min(filled);
            while depth < word.len().min(DEEPEST) && !sheet.hopeless(depth, typos) {
                depth += 1;
                sheet.fill(depth, word);
            }
            filled = depth;
            // Whoever shares the beginning that was read to the point of no hope, or the whole word.
            let hopeless = sheet.hopeless(depth, typos);
            let mut next = at + 1;
            while hopeless && self.shared.get(next).is_some_and(|shared| *shared >= depth) {
                next += 1;
            }
            let best = sheet.best(depth);
            if best <= typos {
                let whole = sheet.whole(depth) == best;
                let complete = |at: usize| whole && self.word(at).len() == depth;
                (at..next).for_each(|word| found(Found { word, typos: best, complete: complete(word) }));
            }
            at = next;
        }
    }
}

/// The table of distances between the beginnings of a word (rows) and of what was typed (columns).
struct Sheet<'a> {
    typed: &'a [char],
    rows: Vec<[u8; LONGEST + 1]>,
    /// For each row the least distance of what was typed to the beginnings so far, and the least of the row.
    least: Vec<(u8, u8)>,
}

impl<'a> Sheet<'a> {
    fn new(typed: &'a [char]) -> Sheet<'a> {
        let mut rows = vec![[0; LONGEST + 1]; DEEPEST + 1];
        let mut least = vec![(0, 0); DEEPEST + 1];
        if let (Some(row), Some(least)) = (rows.first_mut(), least.first_mut()) {
            (0..).zip(row.iter_mut()).for_each(|(column, cell)| *cell = column);
            *least = (u8::try_from(typed.len()).unwrap_or(u8::MAX), 0);
        }
        Sheet { typed, rows, least }
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "the innermost loop; rows and columns are bounded by the constants above"
    )]
    fn fill(&mut self, depth: usize, word: &[char]) {
        let letter = word[depth - 1];
        let (above, below) = self.rows.split_at_mut(depth);
        let (before, row) = (&above[depth - 1], &mut below[0]);
        row[0] = u8::try_from(depth).unwrap_or(u8::MAX);
        let mut least = row[0];
        for column in 1..=self.typed.len() {
            let typed = self.typed[column - 1];
            let mut cell = before[column - 1] + u8::from(letter != typed);
            cell = cell.min(before[column] + 1).min(row[column - 1] + 1);
            if depth > 1 && column > 1 && letter == self.typed[column - 2] && word[depth - 2] == typed {
                cell = cell.min(above[depth - 2][column - 2] + 1);
            }
            row[column] = cell;
            least = least.min(cell);
        }
        let whole = row[self.typed.len()];
        self.least[depth] = (self.least[depth - 1].0.min(whole), least);
    }

    /// The distance to the best beginning so far.
    fn best(&self, depth: usize) -> u8 {
        self.least.get(depth).map_or(u8::MAX, |(best, _)| *best)
    }

    /// The distance to all that was read.
    fn whole(&self, depth: usize) -> u8 {
        self.rows.get(depth).and_then(|row| row.get(self.typed.len())).copied().unwrap_or(u8::MAX)
    }

    /// No further letter can bring a better distance within what is forgiven.
    fn hopeless(&self, depth: usize, typos: u8) -> bool {
        self.least.get(depth).is_none_or(|(_, least)| *least > typos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn found(words: &[&str], typed: &str) -> Vec<(String, u8, bool)> {
        let list = Vocabulary::of(words.iter().copied());
        let typed = letters(typed);
        let mut found = Vec::new();
        list.resembling(&typed, forgiven(&typed), |f| {
            found.push((list.word(f.word).iter().collect(), f.typos, f.complete));
        });
        found
    }

    #[test]
    fn slips_of_the_fingers_are_forgiven() {
        let words = ["гагарина", "ленина", "ленинградская", "пушкина", "советская"];
        let one = |word: &str, complete| vec![(word.to_owned(), 1, complete)];
        assert_eq!(found(&words, "пушкна"), one("пушкина", true));
        assert_eq!(found(&words, "пушкинна"), one("пушкина", true));
        assert_eq!(found(&words, "пшукина"), one("пушкина", true));
        assert_eq!(found(&words, "пошк"), one("пушкина", false));
        assert_eq!(found(&words, "савецкая"), []);
        assert_eq!(found(&words, "саветская"), one("советская", true));
        assert_eq!(found(&words, "лен"), [("ленина".to_owned(), 0, false), ("ленинградская".to_owned(), 0, false)]);
        assert_eq!(found(&words, "ган"), []);
    }

    /// The distance as the definition says, with no cleverness.
    fn distance(one: &[char], two: &[char]) -> usize {
        let mut cells = vec![vec![0; two.len() + 1]; one.len() + 1];
        for i in 0..=one.len() {
            for j in 0..=two.len() {
                cells[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let swap = i > 1 && j > 1 && one[i - 1] == two[j - 2] && one[i - 2] == two[j - 1];
                    let change = cells[i - 1][j - 1] + usize::from(one[i - 1] != two[j - 1]);
                    let edit = change.min(cells[i - 1][j] + 1).min(cells[i][j - 1] + 1);
                    if swap { edit.min(cells[i - 2][j - 2] + 1) } else { edit }
                };
            }
        }
        cells[one.len()][two.len()]
    }

    proptest! {
        #[test]
        fn the_list_finds_what_a_comparison_with_every_word_finds(
            words in prop::collection::btree_set("[абв]{1,9}", 1..60), typed in "[абв]{1,9}"
        ) {
            let list = Vocabulary::of(words.iter().map(String::as_str));
            let typed = letters(&typed);
            for typos in 0..=2_u8 {
                let mut seen = BTreeSet::new();
                list.resembling(&typed, typos, |f| { seen.insert((f.word, f.typos)); });
                let wanted = words.iter().enumerate().filter_map(|(at, word)| {
                    let word = letters(word);
                    let best = (0..=word.len()).map(|to| distance(&word[..to], &typed)).min()?;
                    (best <= usize::from(typos)).then(|| (at, u8::try_from(best).unwrap()))
                });
                prop_assert_eq!(seen, wanted.collect::<BTreeSet<_>>());
            }
            let mut seen = BTreeSet::new();
            list.beginning(&typed, |f| { seen.insert(f.word); });
            let wanted = words.iter().enumerate().filter(|(_, word)| letters(word).starts_with(&typed));
            prop_assert_eq!(seen, wanted.map(|(at, _)| at).collect::<BTreeSet<_>>());
        }
    }
}

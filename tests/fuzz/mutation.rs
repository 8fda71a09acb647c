//! Damages inputs: bytes, words of the format, parts moved, doubled and cut off.

/// Words that break readers of any format.
const COMMON: [&str; 22] = [
    "",
    "\0",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{130}",
    "%",
    "%%",
    "%00",
    "+",
    " ",
    "\"",
    "\\",
    "-1",
    "0",
    "18446744073709551616",
    "1e999",
    "9999-99-99T99:99:99Z",
    "null",
    "[[[[[[[[[[[[[[[[",
];

/// The longest input.
const LENGTH_MAX: usize = 64 * 1024;

/// Makes damaged inputs. The same seed makes the same ones.
pub struct Mutator(fastrand::Rng);

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// One of `inputs` with some damage, or now and then noise.
    pub fn next(&mut self, inputs: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        if self.0.u8(..50) == 0 {
            let length = self.0.usize(..400);
            return (0..length).map(|_| self.0.u8(..)).collect();
        }
        let mut input = inputs[self.0.usize(..inputs.len())].clone();
        for _ in 0..=self.0.usize(..4) {
            self.damage(&mut input, inputs, words);
        }
        input.truncate(LENGTH_MAX);
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[&str]) {
        let place = self.0.usize(..=input.len());
        let until = self.0.usize(place..=input.len().min(place + 40));
        match self.0.u8(..10) {
            0 => input.truncate(place),
            1 => drop(input.drain(place..until)),
            2 => {
                let part: Vec<u8> = input[place..until].to_vec();
                let times = self.0.usize(1..200);
                let many = part.repeat(times);
                input.splice(place..place, many);
            }
            3 if place < input.len() => input[place] ^= 1 << self.0.u8(..8),
            4 if place < input.len() => input[place] = self.0.u8(..),
            5 => {
                let other = &inputs[self.0.usize(..inputs.len())];
                let from = self.0.usize(..=other.len());
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
            6 => {
                let to = self.0.usize(..=input.len() - (until - place));
                let part: Vec<u8> = input.drain(place..until).collect();
                input.splice(to..to, part);
            }
            7 => drop(input.splice(place..until, COMMON[self.0.usize(..COMMON.len())].bytes())),
            _ if !words.is_empty() => {
                drop(input.splice(place..until, words[self.0.usize(..words.len())].bytes()));
            }
            _ => input.insert(place, self.0.u8(..)),
        }
    }
}

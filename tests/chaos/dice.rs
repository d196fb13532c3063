//! Random numbers that a seed repeats.

/// A die with as many sides as asked (SplitMix64).
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    /// The die of a test, from the seed in the environment variable or from one made up; says which.
    pub fn of(variable: &str, test: &str) -> Self {
        let given = std::env::var(variable).ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
        eprintln!("{test}: {variable}={seed} repeats this sample");
        // Each test has numbers of its own, whatever the others draw.
        Self(
            test.bytes()
                .fold(seed, |seed, byte| seed.wrapping_mul(31) ^ u64::from(byte)),
        )
    }

    /// Another die, for someone who throws beside this one.
    pub fn another(&mut self) -> Self {
        Self(self.up_to(u64::MAX))
    }

    /// The die of the one with this number, whoever threw before.
    pub fn of_number(&self, number: u64) -> Self {
        Self(self.0 ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// A number from 1 to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        1 + (mixed ^ (mixed >> 31)) % most.max(1)
    }
}

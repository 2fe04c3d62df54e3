//! Random numbers from a seed that a failure names.

/// Numbers from a seed (splitmix64).
pub struct Random(u64);

impl Random {
    /// From `CORDON_COST_SEED`, or from the clock.
    pub fn new() -> Self {
        let now = std::time::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_nanos();
        let seed = std::env::var("CORDON_COST_SEED").ok();
        let seed = seed.map_or(now as u64, |text| text.parse().expect("a number"));
        println!("CORDON_COST_SEED={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A size from 1 to `most`, each power of two as likely as the next.
    pub fn size(&mut self, most: usize) -> usize {
        let bits = usize::BITS - most.leading_zeros();
        let top = 1_usize << self.below(bits as usize);
        (top + self.below(top)).min(most)
    }
}

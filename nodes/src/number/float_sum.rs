//! Sums of floats that do not depend on the order of the rows.
//!
//! The running sum is kept exactly, as a list of floats that do not overlap; it is rounded once, at the end. So the
//! number of threads never changes a result (FACTS 9).

/// An exact sum of floats.
#[derive(Debug, Clone, Default)]
pub(super) struct FloatSum {
    parts: Vec<f64>,
    /// Infinities and not-a-numbers, which no exact sum can hold.
    special: Option<f64>,
}

impl FloatSum {
    /// Adds a value.
    pub(super) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.special = Some(self.special.map_or(value, |known| known + value));
            return;
        }
        let mut value = value;
        let mut kept = 0;
        for i in 0..self.parts.len() {
            let mut part = self.parts[i];
            if value.abs() < part.abs() {
                std::mem::swap(&mut value, &mut part);
            }
            let high = value + part;
            let low = part - (high - value);
            if low != 0.0 {
                self.parts[kept] = low;
                kept += 1;
            }
            value = high;
        }
        self.parts.truncate(kept);
        self.parts.push(value);
    }

    /// What it is made of, to be added up elsewhere.
    pub(super) fn parts(&self) -> impl Iterator<Item = f64> + '_ {
        self.parts.iter().copied().chain(self.special)
    }

    /// The sum, rounded once.
    pub(super) fn value(&self) -> f64 {
        if let Some(special) = self.special {
            return special;
        }
        let mut parts = self.parts.iter().rev().copied();
        let Some(mut high) = parts.next() else { return 0.0 };
        let mut rest = parts.peekable();
        while let Some(part) = rest.next() {
            let before = high;
            high = before + part;
            let low = part - (high - before);
            if low != 0.0 {
                // Half-way cases are decided by what lies below.
                if let Some(next) = rest.peek()
                    && ((low < 0.0 && *next < 0.0) || (low > 0.0 && *next > 0.0))
                {
                    let doubled = low * 2.0;
                    let candidate = high + doubled;
                    let exact = (candidate - high) - doubled;
                    if exact.abs() < f64::MIN_POSITIVE {
                        high = candidate;
                    }
                }
                break;
            }
        }
        high
    }
}

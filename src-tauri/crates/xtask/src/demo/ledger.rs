//! What the demo claims, line by line, and whether it held.

/// Prints each claim as it is made, and remembers the broken ones.
#[derive(Default)]
pub struct Ledger {
    held: usize,
    broken: usize,
}

impl Ledger {
    pub fn scene(&self, title: &str) {
        println!("\n{title}");
    }

    /// Something worth telling that cannot be wrong.
    pub fn tell(&self, line: &str) {
        println!("       {line}");
    }

    pub fn check(&mut self, holds: bool, claim: &str) {
        if holds {
            self.held += 1;
            println!("  ok   {claim}");
        } else {
            self.broken += 1;
            println!("  NOT  {claim}");
        }
    }

    pub fn holds(&self) -> bool {
        self.broken == 0 && self.held > 0
    }

    pub fn sum(&self) -> String {
        format!("{} checks held, {} did not", self.held, self.broken)
    }
}

//! What happened, line by line, in words a person can read; its hash tells whether two runs of a seed were the same.

#[derive(Clone, Debug, Default)]
pub struct Trace {
    lines: Vec<String>,
}

impl Trace {
    pub fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// FNV-1a over every line: enough to tell two stories apart.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let bytes = self.lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
        bytes
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// Numbered, so that one line can be pointed at.
    #[must_use]
    pub fn story(&self) -> String {
        let numbered = |(at, line): (usize, &String)| format!("{:4}  {line}\n", at + 1);
        self.lines.iter().enumerate().map(numbered).collect()
    }
}

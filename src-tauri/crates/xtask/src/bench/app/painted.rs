//! When a window is painted, seen from outside: in the very pixels of the virtual screen, which Xvfb keeps in a file. So no
//! word of the page has to be believed, the app that is measured is the one that is shipped, and looking costs it nothing:
//! no request to the display, no driver in the page.

use crate::display::PAINTED_COLOURS;
use crate::process;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How often the pixels are looked at: what is told is at most this much too late.
const LOOK_AGAIN: Duration = Duration::from_millis(4);
/// What has not changed for so long has come to rest.
const REST: Duration = Duration::from_millis(800);
/// Something on a page may move for ever.
const SETTLED: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(60);
/// Every so many lines are looked at.
const EVERY: usize = 8;
/// Of the window's title and the panel nothing is looked at, and of what is beside the window either.
const MARGIN: f64 = 0.25;
const MARGIN_ABOVE: f64 = 0.25;
const MARGIN_BELOW: f64 = 0.15;

/// The middle of a virtual screen, where a window that is centred shows what is in it.
pub struct Screen {
    file: File,
    path: PathBuf,
    /// Where each line that is looked at begins in the file.
    lines: Vec<u64>,
    length: usize,
}

/// What was seen of a window that opened, counted from whatever opened it.
#[derive(Clone, Copy, Debug)]
pub struct Painting {
    /// Something else than the empty desk is there.
    pub mapped: Duration,
    /// It shows more than an empty page.
    pub painted: Duration,
    /// It shows what it will show.
    pub at_rest: Duration,
}

impl Screen {
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let mut head = [0; 100];
        file.read_exact(&mut head)?;
        let word = |number: usize| {
            let bytes = head.get(number * 4..number * 4 + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).context("half a header")
        };
        let (width, height, bits, stride) = (word(4)?, word(5)?, word(11)?, word(12)?);
        if bits != 32 {
            bail!("the screen has {bits} bits a pixel, not 32");
        }
        let pixels = u64::from(word(0)?) + u64::from(word(19)?) * 12;
        let (left, right) = (f64::from(width) * MARGIN, f64::from(width) * (1.0 - MARGIN));
        let (top, bottom) = (f64::from(height) * MARGIN_ABOVE, f64::from(height) * (1.0 - MARGIN_BELOW));
        let lines = (top as u64..bottom as u64)
            .step_by(EVERY)
            .map(|line| pixels + line * u64::from(stride) + left as u64 * 4)
            .collect();
        Ok(Self { file, path: path.to_owned(), lines, length: (right - left) as usize * 4 })
    }

    /// What the middle shows now.
    pub fn look(&mut self) -> Result<Vec<u8>> {
        let mut seen = vec![0; self.lines.len() * self.length];
        for (line, begins) in seen.chunks_mut(self.length).zip(&self.lines) {
            self.file.seek(SeekFrom::Start(*begins))?;
            self.file.read_exact(line)?;
        }
        Ok(seen)
    }

    /// Waits until the middle shows what it showed `before`.
    pub fn is_cleared(&mut self, before: &[u8]) -> Result<()> {
        let cleared = process::until(LIMIT, || Ok((self.look()? == before).then_some(())))?;
        cleared.context("the window does not go away")
    }

    /// Watches a window open over what was there `before`, from `since`; keeps what the screen showed at the moment
    /// when it counted as painted in `kept`.
    pub fn watch(&mut self, since: Instant, before: &[u8], kept: Option<&Path>) -> Result<Painting> {
        let (mut mapped, mut painted) = (None, None);
        let mut last = (since, before.to_vec());
        loop {
            let seen = self.look()?;
            let now = Instant::now();
            if seen != last.1 {
                mapped.get_or_insert(now);
                if painted.is_none() && colours(&seen) >= PAINTED_COLOURS as usize {
                    painted = Some(now);
                    if let Some(kept) = kept {
                        std::fs::copy(&self.path, kept).context("keeping what was painted")?;
                    }
                }
                last = (now, seen);
            }
            if let (Some(mapped), Some(painted)) = (mapped, painted)
                && (now - last.0 > REST || now - painted > SETTLED)
            {
                let told = |moment: Instant| moment.duration_since(since);
                return Ok(Painting { mapped: told(mapped), painted: told(painted), at_rest: told(last.0) });
            }
            if since.elapsed() > LIMIT {
                bail!("after a minute the window shows {} colours", colours(&last.1));
            }
            process::pause(LOOK_AGAIN);
        }
    }
}

/// How many colours there are, as far as that matters.
fn colours(pixels: &[u8]) -> usize {
    let mut found = BTreeSet::new();
    for pixel in pixels.chunks_exact(4) {
        if found.insert(pixel) && found.len() > PAINTED_COLOURS as usize {
            break;
        }
    }
    found.len()
}

/// Turns what was kept of a screen into a picture.
pub fn picture(kept: &Path, picture: &Path) -> Result<()> {
    let mut convert = Command::new("convert");
    convert.arg(format!("xwd:{}", kept.display())).arg(picture);
    let answer = process::output(&mut convert, LIMIT)?;
    if !answer.status.success() {
        bail!("no picture of what was painted: {}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    std::fs::remove_file(kept).context("removing what was kept")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_is_one_however_large_the_window_is() {
        assert_eq!(colours(&[7; 4_000]), 1);
        let many: Vec<u8> = (0..4_000_u32).flat_map(u32::to_le_bytes).collect();
        assert!(colours(&many) >= PAINTED_COLOURS as usize);
    }
}

//! What a window is drawn with, fetched from the disk at once. Decides what that is: WebKit's programs and every library that
//! this one has. Met page by page, on first use, they cost more than all else until something is seen.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};

/// A smaller file is read whole by the first look at it.
const WORTH_IT: u64 = 256 * 1024;

/// Asks for all of it, and waits for nothing. What is in memory already is not read again.
pub fn begin() {
    // Without it the window only opens later.
    let _ = std::thread::Builder::new().name("fetching".to_owned()).spawn(|| {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        libraries(&maps).iter().for_each(|path| fetch(path));
    });
}

fn fetch(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    if file.metadata().is_ok_and(|told| told.is_file() && told.size() >= WORTH_IT) {
        let _ = fadvise(&file, 0, None, Advice::WillNeed);
    }
}

/// The files that are mapped into a process, WebKit's first.
fn libraries(maps: &str) -> Vec<PathBuf> {
    let paths = maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
    let mut paths: Vec<PathBuf> = paths.map(PathBuf::from).filter(|path| !path.starts_with("/dev")).collect();
    paths.sort_by_key(|path| !path.to_string_lossy().contains("webkit2gtk"));
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_named_once_and_webkit_first() {
        let maps = "\
            5500-5600 r--p 00000000 fe:00 12 /opt/bookiji companion/app\n\
            7f00-7f10 r-xp 00000000 fe:00 13 /usr/lib/libgtk-3.so.0\n\
            7f10-7f20 rw-p 00000000 00:00 0 \n\
            7f20-7f30 r-xp 00000000 fe:00 14 /usr/lib/libwebkit2gtk-4.1.so.0\n\
            7f30-7f40 rw-p 00001000 fe:00 14 /usr/lib/libwebkit2gtk-4.1.so.0\n\
            7f40-7f50 rw-s 00000000 00:01 15 /dev/shm/pulse\n\
            7f50-7f60 rw-p 00000000 00:00 0 [heap]\n";
        let names =
            ["/usr/lib/libwebkit2gtk-4.1.so.0", "/opt/bookiji companion/app", "/usr/lib/libgtk-3.so.0"];
        assert_eq!(libraries(maps), names.map(PathBuf::from));
    }
}

//! Whether a graphics card draws the window. Decides that where there is none, WebKit draws by itself; what it draws is the
//! same.

use std::path::Path;

/// WebKit reads it before its first window. It turns drawing by a card off as a whole, whatever its name says.
const WITHOUT_A_CARD: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Where no card is to be seen, WebKit would have all of Mesa and LLVM play one, in three processes and for every window
/// anew, and that takes longer than all else until something is seen. Where there is one, or somebody has set the variable,
/// everything stays as it is.
///
/// To be called before anything else: no other thread may be reading the environment.
pub fn settle() {
    if std::env::var_os(WITHOUT_A_CARD).is_none() && !has_card(Path::new("/dev")) {
        // Without it the window only opens later.
        let _ = gtk::glib::setenv(WITHOUT_A_CARD, "1", false);
    }
}

/// What stands in `devices` for a card: a kernel's node to draw with, or what NVIDIA and Windows have instead of one.
fn has_card(devices: &Path) -> bool {
    let mut nodes = std::fs::read_dir(devices.join("dri")).into_iter().flatten().flatten();
    nodes.any(|node| node.file_name().to_string_lossy().starts_with("renderD"))
        || ["nvidiactl", "dxg"].into_iter().any(|name| devices.join(name).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card_among(nodes: &[&str]) -> bool {
        let devices = tempfile::tempdir().unwrap();
        std::fs::create_dir(devices.path().join("dri")).unwrap();
        for node in nodes {
            std::fs::write(devices.path().join(node), "").unwrap();
        }
        has_card(devices.path())
    }

    #[test]
    fn a_card_is_what_can_be_drawn_with() {
        for node in ["dri/renderD128", "dri/renderD129", "nvidiactl", "dxg"] {
            assert!(card_among(&["null", node]), "{node}");
        }
    }

    #[test]
    fn a_screen_that_only_shows_is_no_card() {
        assert!(!card_among(&["null", "fb0", "dri/card0"]));
        assert!(!has_card(&tempfile::tempdir().unwrap().path().join("nowhere")));
    }
}

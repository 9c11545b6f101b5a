//! A small window at the right edge of the screen that files are dragged out of, for the tests of what is dropped on the
//! app's own. Its arguments are the files.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use gtk::prelude::*;

    gtk::init()?;
    let files: Vec<String> = std::env::args().skip(1).map(|file| format!("file://{file}")).collect();
    let window = gtk::Window::new(gtk::WindowType::Toplevel);
    window.set_title("Drag from here");
    window.set_default_size(60, 60);
    let handle = gtk::EventBox::new();
    let targets = [gtk::TargetEntry::new("text/uri-list", gtk::TargetFlags::empty(), 0)];
    handle.drag_source_set(gtk::gdk::ModifierType::BUTTON1_MASK, &targets, gtk::gdk::DragAction::COPY);
    handle.connect_drag_data_get(move |_, _, data, _, _| {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        data.set_uris(&files);
    });
    window.add(&handle);
    window.set_keep_above(true);
    window.show_all();
    window.move_(1215, 5);
    gtk::main();
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {}

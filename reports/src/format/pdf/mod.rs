//! PDF on A4 with Japanese text: the font's needed glyphs are embedded, files can be attached, a QR code stands at the end.
//!
//! [`layout`] decides in whole hundredths of a point what goes where, [`draw`] alone knows the library.

mod draw;
mod layout;

use std::path::{Path, PathBuf};

use musubi_sdk::image::QrImage;

use crate::{error::ReportError, sheet::Sheet};

/// Where Debian's package has the font.
const FOLDER: &str = "/usr/share/fonts/truetype/bizud-gothic";
/// Its files: text and headings.
const FILES: [&str; 2] = ["BIZUDGothic-Regular.ttf", "BIZUDGothic-Bold.ttf"];

/// The bytes of the two fonts of a document, for text and for headings.
#[derive(Clone, Debug)]
pub struct Fonts {
    pub(crate) text: Vec<u8>,
    pub(crate) heading: Vec<u8>,
}

/// A file inside the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What it is, for readers.
    pub description: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What goes into a document besides its sheet.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Files inside it.
    pub attachments: Vec<Attachment>,
    /// A code at its end, and the line under it.
    pub code: Option<(QrImage, String)>,
}

impl Fonts {
    /// BIZ UDGothic where Debian's package has it, or one file for both: any font whose Latin letters are half as wide as
    /// its Japanese ones.
    ///
    /// # Errors
    /// `no_font`, naming the package.
    pub fn find(file: Option<&Path>) -> Result<Self, ReportError> {
        let paths = match file {
            Some(file) => [file.to_owned(), file.to_owned()],
            None => FILES.map(|name| PathBuf::from(FOLDER).join(name)),
        };
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|cause| {
                let what = format!("no font for Japanese text: {}: {cause}", path.display());
                let next = "install Debian's package fonts-morisawa-bizud-gothic, or name a font file with --font";
                ReportError::asked("no_font", what, next)
            })
        };
        Ok(Self { text: read(&paths[0])?, heading: read(&paths[1])? })
    }
}

/// The document's bytes: the same for the same sheet, extras and fonts.
///
/// # Errors
/// If a font is none.
pub fn write(sheet: &Sheet, extras: &Extras, fonts: &Fonts) -> Result<Vec<u8>, ReportError> {
    draw::document(sheet, layout::pages(sheet, extras), extras, fonts)
}

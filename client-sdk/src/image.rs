//! Drawing QR codes: for a terminal, and as SVG for paper and screens. This is the only file that
//! names the `qrcode` crate.

use std::fmt;

use qrcode::{EcLevel, QrCode, render};
use thiserror::Error;

/// A text as a QR code.
#[derive(Clone)]
pub struct QrImage(QrCode);

/// The text does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{characters} characters do not fit one QR code: pass it on as a file")]
pub struct TooLong {
    /// How many there are.
    pub characters: usize,
}

impl TooLong {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "too_long_for_qr"
    }
}

impl fmt::Debug for QrImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QrImage({} modules)", self.width())
    }
}

impl QrImage {
    /// Encodes with as much error correction as leaves it scannable: level M for what is printed
    /// (15 % may be dirty), L where only that fits.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(text: &str) -> Result<Self, TooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)
            .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L));
        let characters = text.chars().count();
        code.map(Self).map_err(|_| TooLong { characters })
    }

    /// Modules on one side, without the quiet zone.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// Whether the module in this column and row is dark; none is outside the code.
    #[must_use]
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        let inside = column < self.width() && row < self.width();
        inside && self.0[(column, row)] == qrcode::Color::Dark
    }

    /// For a terminal with a dark background: two modules per character cell, quiet zone included.
    #[must_use]
    pub fn to_terminal(&self) -> String {
        self.0
            .render::<render::unicode::Dense1x2>()
            .dark_color(render::unicode::Dense1x2::Dark)
            .light_color(render::unicode::Dense1x2::Light)
            .build()
    }

    /// As an SVG document, at least `pixels` wide.
    #[must_use]
    pub fn to_svg(&self, pixels: u32) -> String {
        self.0.render::<render::svg::Color<'_>>().min_dimensions(pixels, pixels).build()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn upper_case_takes_the_compact_mode() {
        let upper = QrImage::new(&"MUSUBI".repeat(50)).unwrap();
        let lower = QrImage::new(&"musubi".repeat(50)).unwrap();
        assert!(upper.width() < lower.width());
    }

    #[test]
    fn drawings_are_square_and_whole() {
        let image = QrImage::new("MUSUBI:TEST").unwrap();
        let svg = image.to_svg(200);
        assert!(svg.starts_with("<?xml") && svg.ends_with("</svg>"));
        let terminal = image.to_terminal();
        let quiet = image.width() + 8;
        assert_eq!(terminal.lines().count(), quiet.div_ceil(2));
        assert!(terminal.lines().all(|line| line.chars().count() == quiet));
    }

    #[test]
    fn too_much_is_refused() {
        let text = "A".repeat(crate::halfsigned::QR_CHARACTERS_MAX);
        assert!(QrImage::new(&text).is_ok());
        let error = QrImage::new(&format!("{text}A")).unwrap_err();
        assert_eq!(error.code(), "too_long_for_qr");
    }
}

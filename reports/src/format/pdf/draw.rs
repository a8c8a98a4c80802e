//! The pages as a PDF file. This file alone names the library.

use krilla::{
    Data, Document,
    color::rgb,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    text::{Font, TextDirection},
};

use super::{
    Extras, Fonts,
    layout::{Mark, Page},
};
use crate::{error::ReportError, sheet::Sheet};

/// The file.
pub(super) fn document(
    sheet: &Sheet,
    pages: Vec<Page>,
    extras: &Extras,
    fonts: &Fonts,
) -> Result<Vec<u8>, ReportError> {
    let font = |bytes: &[u8]| {
        Font::new(Data::from(bytes.to_vec()), 0).ok_or_else(|| broken("a font file is none"))
    };
    let fonts = [font(&fonts.text)?, font(&fonts.heading)?];
    let mut document = Document::new();
    // No date: the file says what the record says, not when it was written.
    let metadata = Metadata::new().title(sheet.title.clone()).language("ja".into());
    document.set_metadata(metadata.creator("musubi-report".into()));
    for page in pages {
        let (width, height) = (points(page.width), points(page.height));
        let settings = PageSettings::from_wh(width, height).ok_or_else(|| broken("no page"))?;
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        for mark in &page.marks {
            draw(&mut surface, mark, &fonts);
        }
        surface.finish();
        sheet.finish();
    }
    for attachment in &extras.attachments {
        let file = EmbeddedFile {
            path: attachment.name.clone(),
            mime_type: MimeType::new("application/octet-stream"),
            description: Some(attachment.description.clone()),
            association_kind: AssociationKind::Supplement,
            data: attachment.bytes.clone().into(),
            modification_date: None,
            compress: Some(true),
            location: None,
        };
        document.embed_file(file).ok_or_else(|| broken("two attachments of one name"))?;
    }
    document.finish().map_err(|error| broken(&format!("{error:?}")))
}

fn broken(what: &str) -> ReportError {
    ReportError::asked("pdf", format!("the PDF cannot be made: {what}"), "try another --font")
}

fn draw(surface: &mut Surface<'_>, mark: &Mark, fonts: &[Font; 2]) {
    let ink = Fill {
        paint: rgb::Color::new(0, 0, 0).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    };
    surface.set_fill(Some(ink));
    let area = match mark {
        Mark::Text { x, y, size, bold, text } => {
            let font = fonts[usize::from(*bold)].clone();
            let at = Point::from_xy(points(*x), points(*y));
            surface.draw_text(at, font, points(*size), text, false, TextDirection::Auto);
            return;
        }
        Mark::Rule { x, y, width } => (*x, *y, *width, 40),
        Mark::Square { x, y, side } => (*x, *y, *side, *side),
    };
    let (x, y, width, height) = area;
    let area = Rect::from_xywh(points(x), points(y), points(width), points(height));
    let path = area.and_then(|area| {
        let mut path = PathBuilder::new();
        path.push_rect(area);
        path.finish()
    });
    if let Some(path) = path {
        surface.draw_path(&path);
    }
}

/// Points from their hundredths: places on paper, no value.
#[allow(clippy::float_arithmetic, clippy::cast_precision_loss)]
fn points(hundredths: i32) -> f32 {
    hundredths as f32 / 100.0
}

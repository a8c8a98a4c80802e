//! Parquet: columns for DuckDB, Spark and the like. Uncompressed, so that no C library comes along.

use std::sync::Arc;

use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};

use crate::error::ReportError;

/// The values of a column, one per row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Words.
    Text(Vec<String>),
    /// Words, some of them suppressed or absent.
    MaybeText(Vec<Option<String>>),
    /// Whole numbers.
    Whole(Vec<i64>),
    /// Whole numbers, some of them suppressed.
    MaybeWhole(Vec<Option<i64>>),
    /// Dates, as days since 1970-01-01.
    Day(Vec<i32>),
    /// Instants, as milliseconds since 1970-01-01T00:00Z.
    Time(Vec<i64>),
}

/// A column: its name and values.
pub type Column = (&'static str, Values);

/// The file of a table.
///
/// # Errors
/// Never for columns of equal length.
pub fn write(table: &str, columns: &[Column]) -> Result<Vec<u8>, ReportError> {
    file(table, columns).map_err(|error| {
        ReportError::asked("parquet", format!("table {table}: {error}"), "report this as a bug")
    })
}

fn file(table: &str, columns: &[Column]) -> Result<Vec<u8>, ParquetError> {
    let fields = columns.iter().map(|(name, values)| field(name, values));
    let fields = fields.collect::<Result<Vec<TypePtr>, ParquetError>>()?;
    let schema = Arc::new(Type::group_type_builder(table).with_fields(fields).build()?);
    let properties = WriterProperties::builder().set_created_by("musubi-report".into()).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut rows = writer.next_row_group()?;
    for (_, values) in columns {
        put(&mut rows, values)?;
    }
    rows.close()?;
    writer.into_inner()
}

fn field(name: &str, values: &Values) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match values {
        Values::Text(_) | Values::MaybeText(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Values::Whole(_) | Values::MaybeWhole(_) => (Physical::INT64, None),
        Values::Day(_) => (Physical::INT32, Some(LogicalType::Date)),
        Values::Time(_) => {
            let unit = TimeUnit::MILLIS;
            (Physical::INT64, Some(LogicalType::timestamp(true, unit)))
        }
    };
    let repetition = match values {
        Values::MaybeText(_) | Values::MaybeWhole(_) => Repetition::OPTIONAL,
        _ => Repetition::REQUIRED,
    };
    let field = Type::primitive_type_builder(name, physical);
    field.with_logical_type(logical).with_repetition(repetition).build().map(Arc::new)
}

fn put(
    rows: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &Values,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("a column too many".into());
    let mut column = rows.next_column()?.ok_or_else(missing)?;
    match values {
        Values::Text(texts) => {
            let texts: Vec<ByteArray> = texts.iter().map(|text| text.as_str().into()).collect();
            column.typed::<ByteArrayType>().write_batch(&texts, None, None)?
        }
        Values::MaybeText(texts) => {
            let levels = levels(texts);
            let there: Vec<ByteArray> = texts.iter().flatten().map(|t| t.as_str().into()).collect();
            column.typed::<ByteArrayType>().write_batch(&there, Some(&levels), None)?
        }
        Values::Whole(numbers) | Values::Time(numbers) => {
            column.typed::<Int64Type>().write_batch(numbers, None, None)?
        }
        Values::MaybeWhole(numbers) => {
            let there: Vec<i64> = numbers.iter().flatten().copied().collect();
            column.typed::<Int64Type>().write_batch(&there, Some(&levels(numbers)), None)?
        }
        Values::Day(days) => column.typed::<Int32Type>().write_batch(days, None, None)?,
    };
    column.close()
}

/// 1 where there is a value, 0 where there is none.
fn levels<T>(values: &[Option<T>]) -> Vec<i16> {
    values.iter().map(|value| i16::from(value.is_some())).collect()
}

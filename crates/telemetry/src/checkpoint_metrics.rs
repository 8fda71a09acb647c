//! Metrics of the checkpoints of the audit, from the store's rows.

use std::sync::Arc;

use holdfast_store::CheckpointStatus;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::app_metrics::{Source, seconds};

/// The instruments; where no checkpoints are written they show nothing.
pub fn observe_checkpoints(meter: &Meter, source: &Arc<Source>) {
    let each = |name: &'static str,
                unit: &'static str,
                what: &'static str,
                value: fn(&CheckpointStatus) -> f64| {
        let source = Arc::clone(source);
        meter
            .f64_observable_gauge(name)
            .with_unit(unit)
            .with_description(what)
            .with_callback(move |observer| {
                for status in source.latest().iter().flat_map(|latest| &latest.checkpoints) {
                    observer
                        .observe(value(status), &[KeyValue::new("destination", status.destination.clone())]);
                }
            })
            .build();
    };
    each(
        "holdfast.audit.checkpoint.timestamp",
        "s",
        "When a checkpoint of the audit was last written; 0 for never.",
        |status| status.written_at.map_or(0.0, seconds),
    );
    each(
        "holdfast.audit.checkpoint.failing",
        "",
        "1 for a destination whose latest checkpoint could not be written, else 0.",
        |status| f64::from(u8::from(status.failed_since.is_some())),
    );
}

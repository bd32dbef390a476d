"""`report_model`: what a report page shows of a model, measured and gathered."""

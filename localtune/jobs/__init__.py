"""Fine-tuning jobs: what is asked for, checked, queued, trained and recorded."""

"""What dissection, captioning and the dashboard cost."""

"""What `mami bench dashboard` compares the dashboard with, and clients that keep it busy. No page of the dashboard."""

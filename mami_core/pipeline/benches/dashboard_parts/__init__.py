"""What `mami bench dashboard` measures: a real server, a real Chromium, a large made dissection."""

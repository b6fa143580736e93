"""Which conversation a mail belongs to (threading, subject), and which earlier ones asked the same (similar). Pure."""

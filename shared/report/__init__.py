"""An incident and its proof become evidence, whys, a report as JSON, and the Markdown of an issue."""

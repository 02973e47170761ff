"""Tables and SQL: functions over a Connection, one file per noun. Nothing else speaks SQL."""

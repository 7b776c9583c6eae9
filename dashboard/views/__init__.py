"""What pages need beside what services return: lines of tables, words for filters. They ask no database."""

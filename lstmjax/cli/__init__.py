"""The command line: a module for each tool, with its flags, messages and exit statuses.

`main` chooses the tool, `flags` parses arguments by Tesseract's rules, `large_pages` restarts
training with other memory settings. The other modules are named after their tool. Each has
`main(argv)`, which returns the exit status and only turns arguments into calls of the library;
what a tool needs beyond its flags is imported when it runs, so that `--help` stays fast.
"""

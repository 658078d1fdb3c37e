"""The command line: the application, and a file for each verb."""

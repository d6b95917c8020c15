"""What is done for every account each month and each quarter."""

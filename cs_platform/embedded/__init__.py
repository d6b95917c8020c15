"""PostgreSQL and Valkey from wheels, and the supervisor that runs them with our own processes."""

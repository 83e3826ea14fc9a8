"""The demonstration: the application on a MongoDB, with every step checked. It plays clients, queue and Fargate."""

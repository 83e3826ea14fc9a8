"""The demonstration: the application on a local AWS, with every step checked. It plays what AWS does around Lambda."""

"""The course's own data sets: seeded generators and the frozen files they make in data/."""

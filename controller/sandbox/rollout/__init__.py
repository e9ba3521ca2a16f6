"""What moves by itself: tasks that start and stop, services that follow their desired state."""

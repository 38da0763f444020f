"""Reception centres in the regions and the ministry's departments."""

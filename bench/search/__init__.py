"""Finding a case among very many: the hotline's search, the dossier, a department's inbox."""

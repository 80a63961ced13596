/*
 * What DiscoverAccount has read so far: notes of the journal, in memory only.
 */
#ifndef SAGA_INVENTORY_H
#define SAGA_INVENTORY_H

// [{"region_id", "name"}]
#define NOTE_REGIONS "regions"
// [{"project_id", "name", "region_id", "pg_version", "branches": [{"branch_id", "name",
// "parent_id", "default", "protected"}]}]
#define NOTE_PROJECTS "projects"

// Of all texts in it, with some room for each thing.
enum { INVENTORY_BYTES_MAX = 2 * 1024 * 1024 };

#endif

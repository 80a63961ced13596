/* Trees of files: copied (sharing blocks where the file system can), removed, written. Every
 * function may be called on any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "spawn.h"

/* Says of a path below the root ("base/5/1259") whether it is left out: a directory then stays,
 * empty. */
typedef bool (*FilesSkip)(const char *path, bool is_directory);

/* Copies the tree into `to`, which must not exist; owned by `user`, mode 0700. Files that vanish
 * while copying are left out: a running server removes some. `skip` may be NULL. False with a
 * sentence in ret_error. */
bool files_copy_tree(const char *from, const char *to, const SpawnUser *user, FilesSkip skip,
                     char *ret_error, size_t error_bytes);
/* Whether copies within this directory share their blocks until one of them changes. */
bool files_share_blocks(const char *dir);
/* Copies one file. */
bool files_copy(const char *from, const char *to, const SpawnUser *user);
/* Removes the tree; what is absent is fine. */
void files_remove_tree(const char *path);
/* Makes a directory of `user` with mode 0700; an existing one stays as it is. */
bool files_make_dir(const char *path, const SpawnUser *user);
/* Writes a file of `user` with the given mode. */
bool files_write(const char *path, const char *text, size_t bytes, unsigned mode,
                 const SpawnUser *user);

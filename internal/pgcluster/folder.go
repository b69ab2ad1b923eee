package pgcluster

import (
	"os"
	"syscall"
)

// memoryFolder is Linux's file system in memory. A new database is some 300 small files, which a disk makes
// ten times slower.
const memoryFolder = "/dev/shm"

// memoryNeeded is the free space, in bytes, below which the data go to disk instead. Containers often have
// only 64 MiB there.
const memoryNeeded = 2 << 30

// makeFolder makes the folder of a cluster and gives it to the account that the server runs as. It does not
// follow TMPDIR: the account has to reach the folder, and a socket's path may have 104 characters at most.
func makeFolder(credential *syscall.Credential, onDisk bool) (string, error) {
	parent := "/tmp"
	var space syscall.Statfs_t
	if err := syscall.Statfs(memoryFolder, &space); err == nil && !onDisk && space.Bavail*uint64(space.Bsize) >= memoryNeeded {
		parent = memoryFolder
	}
	folder, err := os.MkdirTemp(parent, "postrider-postgres-")
	if err != nil {
		return "", err
	}
	if credential != nil {
		if err := os.Chown(folder, int(credential.Uid), int(credential.Gid)); err != nil {
			return "", err
		}
	}
	return folder, nil
}

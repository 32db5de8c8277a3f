// MIG: which instances fit on a card side by side.

package main

// instance is a MIG instance by its share of the card.
type instance struct {
	compute, memory int
	media           bool // owns the media engines; one instance of a card can
}

// migStarts says at which memory slices an instance of (compute, memory) slices may start, by the compute slices of the
// card (NVIDIA/go-nvml pkg/nvml/mock/gpus/a100.go, a30.go).
var migStarts = map[int]map[[2]int][]int{
	7: {{1, 1}: {0, 1, 2, 3, 4, 5, 6}, {1, 2}: {0, 2, 4, 6}, {2, 2}: {0, 2, 4}, {3, 4}: {0, 4}, {4, 4}: {0}, {7, 8}: {0}},
	4: {{1, 1}: {0, 1, 2, 3}, {2, 2}: {0, 2}, {4, 4}: {0}},
	2: {{1, 1}: {0, 1}, {2, 2}: {0}},
}

var migMemorySlices = map[int]int{7: 8, 4: 4, 2: 2}

// migFits says whether there are placements at which these instances do not overlap.
func migFits(slices int, instances []instance) bool {
	compute, media := 0, 0
	for _, one := range instances {
		compute += one.compute
		if one.media {
			media++
		}
	}
	return compute <= slices && media <= 1 && migPlace(migStarts[slices], instances, 0)
}

func migPlace(starts map[[2]int][]int, rest []instance, taken int) bool {
	if len(rest) == 0 {
		return true
	}
	mask := 1<<rest[0].memory - 1
	for _, start := range starts[[2]int{rest[0].compute, rest[0].memory}] {
		if here := mask << start; here&taken == 0 && migPlace(starts, rest[1:], taken|here) {
			return true
		}
	}
	return false
}

// migInstance is what a MIG profile takes of a card; NVIDIA rounds the nominal size of memory.
func migInstance(card *cardSpec, profile *profileSpec) instance {
	total := migMemorySlices[card.Slices]
	memory := total
	for _, size := range []int{1, 2, 4, 8} {
		if size < total && float64(int64(size)*card.MemoryMib)*1.06/float64(total) >= float64(profile.FrameBufferGib*1024) {
			memory = size
			break
		}
	}
	return instance{compute: profile.Slices, memory: memory, media: isMediaProfile(profile.Name)}
}

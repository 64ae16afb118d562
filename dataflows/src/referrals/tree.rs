//! Direct and total descendants and depths, kept while children move.
//!
//! A move is a walk up the ancestors, one step each: no round for a level. Where the walks of an
//! epoch would take more steps than looking at everybody once, everybody is looked at once, leaves
//! first. How many children of a member are how deep is counted, so that the loss of the deepest
//! child is a look at the next count, whatever the number of children.

use std::collections::BTreeMap;

use super::lane::Lane;
use crate::types::CustomerIx;

/// What a reader sees of the forest. A clone of pointers.
#[derive(Clone, Default)]
pub struct Branches {
    /// The parent's number plus 1, 0 for nobody.
    parents: Lane,
    direct: Lane,
    total: Lane,
    depth: Lane,
}

/// A row of referral_tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// Those he brought in himself.
    pub direct: u32,
    /// Those, and whom they brought in, and so on.
    pub total: u32,
    /// The longest path below him.
    pub depth: u32,
}

impl Branches {
    /// Who brought a customer in.
    pub fn parent(&self, customer: CustomerIx) -> Option<CustomerIx> {
        self.parents.get(customer).checked_sub(1).map(CustomerIx)
    }

    /// A customer's row, where he brought somebody in.
    pub fn node(&self, customer: CustomerIx) -> Option<Node> {
        let direct = self.direct.get(customer);
        (direct > 0).then(|| Node { direct, total: self.total.get(customer), depth: self.depth.get(customer) })
    }

    /// Every row, by customer.
    pub fn nodes(&self) -> impl Iterator<Item = (CustomerIx, Node)> + '_ {
        self.direct.iter().filter_map(|(customer, _)| Some((customer, self.node(customer)?)))
    }
}

/// A child that changes its parent, or has or had none.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub child: CustomerIx,
    pub from: Option<CustomerIx>,
    pub to: Option<CustomerIx>,
}

/// Customers that are looked at in the time of a step, roughly: a step copies what readers hold, and
/// counts lines.
const CUSTOMERS_PER_STEP: usize = 3;

/// The forest, with what keeps its depths.
#[derive(Default)]
pub struct Tree {
    branches: Branches,
    /// Children by parent and by their own depth: how many.
    below: BTreeMap<(CustomerIx, u32), u32>,
}

impl Tree {
    pub fn branches(&self) -> &Branches {
        &self.branches
    }

    /// Moves children. A child is named once, and the moves together leave a forest.
    pub fn move_all(&mut self, moves: &[Move]) {
        self.move_within(moves, self.branches.parents.len() / CUSTOMERS_PER_STEP);
    }

    /// All children are taken away before the first is given: what stands in between is a part of
    /// the forest before or of the forest after, so that walks end.
    fn move_within(&mut self, moves: &[Move], mut steps: usize) {
        for Move { child, from, .. } in moves {
            let Some(from) = from else { continue };
            self.branches.parents.set(*child, 0);
            if !self.climb(*child, *from, false, &mut steps) {
                return self.rebuild(moves);
            }
        }
        for Move { child, to, .. } in moves {
            let Some(to) = to else { continue };
            self.branches.parents.set(*child, to.0 + 1);
            if !self.climb(*child, *to, true, &mut steps) {
                return self.rebuild(moves);
            }
        }
    }

    /// Tells the ancestors, from the parent on, that a child came or went. False where that took
    /// more steps than there were: the ancestors above have not been told.
    fn climb(&mut self, child: CustomerIx, parent: CustomerIx, comes: bool, steps: &mut usize) -> bool {
        let Branches { parents, direct, total, depth } = &mut self.branches;
        let add = |lane: &mut Lane, customer, change: u32| {
            let held = lane.get(customer);
            lane.set(customer, if comes { held + change } else { held - change });
        };
        let weight = total.get(child) + 1;
        add(direct, parent, 1);
        // The depths of the child's line below the ancestor at hand: as it was, and as it is.
        let own = Some(depth.get(child));
        let (mut was, mut is) = if comes { (None, own) } else { (own, None) };
        let mut next = Some(parent);
        while let Some(ancestor) = next {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            add(total, ancestor, weight);
            if was != is {
                was.into_iter().for_each(|was| uncount(&mut self.below, (ancestor, was)));
                is.into_iter().for_each(|is| *self.below.entry((ancestor, is)).or_insert(0) += 1);
                let mut own = self.below.range((ancestor, 0)..=(ancestor, u32::MAX));
                let deepest = own.next_back().map_or(0, |((_, depth), _)| depth + 1);
                (was, is) = (Some(depth.get(ancestor)), Some(deepest));
                depth.set(ancestor, deepest);
            }
            next = parents.get(ancestor).checked_sub(1).map(CustomerIx);
        }
        true
    }

    /// Moves what is not moved yet, and looks at everybody once: a customer is done when all his
    /// children are, and then tells his parent.
    fn rebuild(&mut self, moves: &[Move]) {
        for Move { child, to, .. } in moves {
            self.branches.parents.set(*child, to.map_or(0, |to| to.0 + 1));
        }
        let mut parents = vec![0u32; self.branches.parents.len()];
        self.branches.parents.iter().for_each(|(child, parent)| parents[child.0 as usize] = parent);
        let parent = |child: usize| parents[child].checked_sub(1).map(|parent| parent as usize);
        let Branches { direct, total, depth, .. } = &self.branches;
        let lanes = [parents.len(), direct.len(), total.len(), depth.len()];
        let len = lanes.into_iter().chain(parents.iter().map(|parent| *parent as usize)).max().unwrap_or(0);
        let mut direct = vec![0u32; len];
        (0..parents.len()).filter_map(parent).for_each(|parent| direct[parent] += 1);
        let (mut waits, mut total, mut depth) = (direct.clone(), vec![0u32; len], vec![0u32; len]);
        for leaf in (0..parents.len()).filter(|customer| direct[*customer] == 0) {
            let mut child = leaf;
            while let Some(parent) = parents.get(child).and_then(|_| parent(child)) {
                total[parent] += total[child] + 1;
                depth[parent] = depth[parent].max(depth[child] + 1);
                waits[parent] -= 1;
                if waits[parent] > 0 {
                    break;
                }
                child = parent;
            }
        }
        let line = |child: usize| parent(child).map(|parent| (CustomerIx(parent as u32), depth[child]));
        let mut lines: Vec<(CustomerIx, u32)> = (0..parents.len()).filter_map(line).collect();
        lines.sort_unstable();
        self.below = lines.chunk_by(|one, next| one == next).map(|same| (same[0], same.len() as u32)).collect();
        self.branches.direct.set_all(&direct);
        self.branches.total.set_all(&total);
        self.branches.depth.set_all(&depth);
    }
}

fn uncount(below: &mut BTreeMap<(CustomerIx, u32), u32>, line: (CustomerIx, u32)) {
    if let Some(count) = below.get_mut(&line) {
        *count -= 1;
        if *count == 0 {
            below.remove(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    /// A forest by what defines it: who has which parent.
    fn expected(parents: &[Option<u32>]) -> BTreeMap<CustomerIx, Node> {
        let mut nodes: BTreeMap<CustomerIx, Node> = BTreeMap::new();
        for parent in parents.iter().flatten() {
            nodes.entry(CustomerIx(*parent)).or_insert(Node { direct: 0, total: 0, depth: 0 }).direct += 1;
        }
        for (child, _) in parents.iter().enumerate() {
            let (mut next, mut length) = (parents[child], 0);
            while let Some(ancestor) = next {
                length += 1;
                let node = nodes.get_mut(&CustomerIx(ancestor)).expect("a parent");
                node.total += 1;
                node.depth = node.depth.max(length);
                next = parents[ancestor as usize];
            }
        }
        nodes
    }

    /// Moves children to parents of smaller numbers, a part by walks of at most so many steps.
    fn check(seed: u64, customers: u32, steps: usize) {
        let mut rng = Rng::with_seed(seed);
        let (mut tree, mut parents) = (Tree::default(), vec![None; customers as usize]);
        for round in 0..60 {
            let mut children: Vec<u32> = (0..customers).collect();
            rng.shuffle(&mut children);
            children.truncate(rng.usize(0..12));
            let is_last = round == 59;
            if is_last {
                children = (0..customers).collect();
            }
            let mut moves = Vec::new();
            for child in children {
                let near = child.saturating_sub(rng.u32(1..4));
                let to = (child > 0 && !is_last && rng.u8(0..5) > 0)
                    .then(|| if rng.bool() { near } else { rng.u32(0..child) });
                let from = std::mem::replace(&mut parents[child as usize], to);
                moves.push(Move { child: CustomerIx(child), from: from.map(CustomerIx), to: to.map(CustomerIx) });
            }
            tree.move_within(&moves, steps);
            let found: BTreeMap<CustomerIx, Node> = tree.branches().nodes().collect();
            assert_eq!(found, expected(&parents), "seed {seed}, round {round}");
            for (child, parent) in parents.iter().enumerate() {
                assert_eq!(tree.branches().parent(CustomerIx(child as u32)), parent.map(CustomerIx));
            }
        }
        assert!(tree.below.is_empty(), "seed {seed}");
    }

    #[test]
    fn walks_and_looking_at_everybody_leave_the_same() {
        for seed in 0..40 {
            // Never by walks alone, always, and now and then.
            for steps in [0, usize::MAX, 25] {
                check(seed, 60, steps);
            }
        }
    }

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let mut tree = Tree::default();
        let [one, two, three] = [1, 2, 3].map(CustomerIx);
        tree.move_all(&[Move { child: two, from: None, to: Some(one) }]);
        let snapshot = tree.branches().clone();
        tree.move_all(&[Move { child: three, from: None, to: Some(two) }]);
        assert_eq!(snapshot.node(one), Some(Node { direct: 1, total: 1, depth: 1 }));
        assert_eq!(tree.branches().node(one), Some(Node { direct: 1, total: 2, depth: 2 }));
    }
}

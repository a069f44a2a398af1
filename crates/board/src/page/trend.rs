//! The service level of the last two hours as a small line; gaps where nothing ended.

use maud::{Markup, html};

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 30.0;
/// Room for the width of the line.
const MARGIN: f64 = 3.0;

pub(super) fn line(levels: &[Option<f64>]) -> Markup {
    let points: Vec<Option<(f64, f64)>> = levels
        .iter()
        .enumerate()
        .map(|(index, level)| level.map(|level| point(index, levels.len(), level)))
        .collect();
    let last = points.iter().flatten().next_back();
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label="Service level of the last two hours" {
            path.floor d=(format!("M0 {} H{WIDTH}", HEIGHT - MARGIN)) {}
            path.ceiling d=(format!("M0 {MARGIN} H{WIDTH}")) {}
            path.line d=(path(&points)) {}
            @if let Some((x, y)) = last {
                circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="2.6" {}
            }
        }
    }
}

fn point(index: usize, count: usize, level: f64) -> (f64, f64) {
    let steps = count.saturating_sub(1).max(1) as f64;
    let x = MARGIN + (WIDTH - 2.0 * MARGIN) * index as f64 / steps;
    let y = MARGIN + (HEIGHT - 2.0 * MARGIN) * (1.0 - level.clamp(0.0, 1.0));
    (x, y)
}

fn path(points: &[Option<(f64, f64)>]) -> String {
    let mut path = String::new();
    let mut drawing = false;
    for point in points {
        if let Some((x, y)) = point {
            let command = if drawing { 'L' } else { 'M' };
            // The zero-length line makes a point without neighbours visible.
            path.push_str(&format!("{command}{x:.1} {y:.1}"));
            if !drawing {
                path.push_str("h0");
            }
        }
        drawing = point.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_gaps_where_nothing_is_known() {
        let levels = [Some(1.0), Some(0.0), None, Some(0.5), None];
        let drawn = line(&levels).into_string();
        assert!(
            drawn.contains(r#"d="M3.0 3.0h0L31.5 27.0M88.5 15.0h0""#),
            "{drawn}"
        );
        assert!(drawn.contains(r#"cx="88.5" cy="15.0""#), "{drawn}");
    }

    #[test]
    fn without_anything_known_there_is_no_point() {
        assert!(!line(&[None, None]).into_string().contains("circle"));
    }
}
